"""The exceptions of the client: one tree, in which every class answers the same two questions.

`permanent`: would the same call fail every time it is repeated?
`outcome_known`: is it certain what XCover did? If not, read the booking before posting again.

`vendor_message`, `errors` and `field_errors` are the vendor's texts and may repeat what a customer
typed. So they are attributes only; `str()`, `repr()` and pickles leave them out. None may be called
`message` or `detail`: Sentry shows those attributes of an exception in place of its text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, TypedDict, Unpack

TEXT_LIMIT = 500
IDENTIFIER_LIMIT = 80
_NOT_IN_IDENTIFIER = re.compile(r"[^A-Za-z0-9_.\-\[\]]")


def clean(value: object, limit: int = TEXT_LIMIT) -> str:
    """Return `value` as one printable line of at most `limit` characters, "" if it is not a str."""
    if not isinstance(value, str):
        return ""
    # Categories C* are control and format characters (bidi overrides) and surrogates. They can
    # forge or garble log lines.
    line = "".join(c if not unicodedata.category(c).startswith("C") else " " for c in value[:5000])
    return " ".join(line.split())[:limit]


def identifier(value: object) -> str:
    """Return `value` reduced to characters of a field name, code or id, "" if it is not a str."""
    if not isinstance(value, str):
        return ""
    return _NOT_IN_IDENTIFIER.sub("_", value[:IDENTIFIER_LIMIT])


NO_FIELD = "non_field_errors"
DEEPEST = 12
MOST = 200
_TEXT_KEYS = ("details", "detail", "message")

FieldErrors = dict[str, list[str]]


def flatten(errors: object) -> FieldErrors:
    """Return errors by dotted field name, such as `{"policyholder.phone": ["…"]}`.

    Errors without a field are under `non_field_errors`.
    """
    flat: FieldErrors = {}
    for count, (path, text) in enumerate(_walk(errors, (), 0)):
        if count == MOST:
            break
        flat.setdefault(".".join(path) or NO_FIELD, []).append(text)
    return flat


def _walk(node: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[tuple[str, ...], str]]:
    if depth > DEEPEST or node is None:
        return
    if isinstance(node, Mapping):
        yield from _walk_object(node, path, depth)
    elif isinstance(node, list):
        yield from _walk_list(node, path, depth)
    else:
        yield path, clean(node if isinstance(node, str) else str(node))


def _walk_object(
    node: Mapping[Any, Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    texts = _texts(node)
    if texts is not None:
        yield from _walk(texts, path, depth + 1)
        return
    for name, below in node.items():
        step = () if name == NO_FIELD and not path else (clean(str(name), 80),)
        yield from _walk(below, path + step, depth + 1)


def _walk_list(
    node: list[Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    for index, below in enumerate(node):
        # Only objects with fields of their own need their index in the path.
        has_fields = isinstance(below, Mapping) and _texts(below) is None
        yield from _walk(below, (*path, str(index)) if has_fields else path, depth + 1)


def _texts(node: Mapping[Any, Any]) -> Any:
    """Return the texts of an error object, or None if its keys are field names.

    An error object has `type` or `code` beside its text, because `message` may also be a field.
    """
    if "type" not in node and "code" not in node:
        return None
    return next((node[key] for key in _TEXT_KEYS if node.get(key)), None)


NAMES_SHOWN = 10


class ErrorDetails(TypedDict, total=False):
    """The keyword arguments of an XCoverError, besides its reason."""

    status: int | None
    body: Mapping[str, object] | None
    retry_after: float | None
    permanent: bool | None
    outcome_known: bool | None


class XCoverError(Exception):
    """A call to XCover failed.

    Attributes: `code` (ours, one per class), `status` (HTTP status or None), `vendor_type`,
    `vendor_code` and `error_id` (XCover's identifiers of the fault, "" if absent), `vendor_message`
    (text), `errors` (JSON as received), `field_errors` (`{"policyholder.phone": ["…"]}`),
    `permanent`, `outcome_known`, `retry_after` (seconds or None), `reading` (the call was a read,
    so its failure says nothing about the outcome of an earlier write).
    """

    code: ClassVar[str] = "xcover_error"
    permanent: bool = False
    outcome_known: bool = True
    reading: bool = False
    next_step: ClassVar[str] = "Try again later."

    def __init__(
        self,
        reason: str = "",
        *,
        status: int | None = None,
        body: Mapping[str, object] | None = None,
        retry_after: float | None = None,
        permanent: bool | None = None,
        outcome_known: bool | None = None,
    ) -> None:
        """Take a `reason` in our own words, with no outside values, and the response's object."""
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after
        self._read(body or {})
        if permanent is not None:
            self.permanent = permanent
        if outcome_known is not None:
            self.outcome_known = outcome_known

    def _read(self, body: Mapping[str, object]) -> None:
        self.vendor_type = identifier(body.get("type"))
        self.vendor_code = identifier(body.get("code"))
        self.error_id = identifier(body.get("error_id"))
        # The gateway uses `error`, Django REST framework `detail` (Quotes API: error body).
        self.vendor_message = clean(body.get("message") or body.get("error") or body.get("detail"))
        self.errors: object = body.get("errors")
        self.field_errors = flatten(self.errors)

    def __str__(self) -> str:
        return " ".join(part for part in (self._what(), self._fields(), self.next_step) if part)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def _what(self) -> str:
        parts = [str(self.status or ""), self.vendor_type, self.vendor_code, self.args[0]]
        parts += [f"error id {self.error_id}"] if self.error_id else []
        text = ", ".join(part for part in parts if part)
        return f"{text}." if text else ""

    def _fields(self) -> str:
        names = sorted(identifier(name) or "?" for name in self.field_errors)[:NAMES_SHOWN]
        return f"Fields: {', '.join(names)}." if names else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # Celery pickles the exceptions of tasks. The vendor's texts must not reach a broker.
        state = {**self.__dict__, "vendor_message": "", "errors": None, "field_errors": {}}
        return (_rebuild, (type(self), self.args[0], state))


def _rebuild(cls: type[XCoverError], reason: str, state: dict[str, Any]) -> XCoverError:
    error = cls.__new__(cls, reason)
    Exception.__init__(error, reason)
    error.__dict__.update(state)
    return error


class ConfigurationError(XCoverError):
    """The client was created with unusable arguments."""

    code = "configuration_error"
    permanent = True
    next_step = "Correct the client's configuration."


class InvalidPayload(XCoverError):
    """The arguments of a call cannot be sent. Nothing was sent."""

    code = "invalid_payload"
    permanent = True
    next_step = "Correct the call's arguments."


class ConnectionFailed(XCoverError):
    """The network failed before the response was complete.

    `request_sent` is False if the failure came provably before the first byte of the request (name
    lookup, connect, TLS, proxy).
    """

    code = "connection_failed"
    next_step = "Check the network path to XCover, then try again."

    def __init__(
        self, reason: str = "", *, request_sent: bool = True, **details: Unpack[ErrorDetails]
    ) -> None:
        super().__init__(reason, **details)
        self.request_sent = request_sent


class DeadlineExceeded(XCoverError):
    """The deadline of the call passed before the response was complete."""

    code = "deadline_exceeded"
    next_step = "Try again later, or allow the call more time."


class NoTimeLeft(DeadlineExceeded):
    """The deadline had passed before the call could begin. Nothing was sent.

    This says nothing about XCover, because the caller itself used up the time.
    """

    code = "no_time_left"


class HeldBack(XCoverError):
    """Our own rate limit does not allow the call now. Nothing was sent.

    `retry_after` is the number of seconds after which it may.
    """

    code = "held_back"
    next_step = "Try again later, or ask XCover for a higher rate limit."


class RequestRefused(XCoverError):
    """XCover refused the request (any 4xx without a class of its own)."""

    code = "request_refused"
    permanent = True
    next_step = "Compare the request with XCover's documentation."


class ValidationFailed(RequestRefused):
    """The request is invalid, or not allowed in the present state (400, 422)."""

    code = "validation_failed"
    next_step = "See .field_errors for what XCover says about each field."


class AuthenticationFailed(RequestRefused):
    """XCover did not accept the key, secret or signature (401, 403)."""

    code = "authentication_failed"
    next_step = "Check API key, API secret, partner code, base URL and this machine's clock."


class NotFound(RequestRefused):
    """XCover has no such object for this partner (404)."""

    code = "not_found"
    next_step = "Check the id, and that it belongs to this partner and environment."


class Conflict(RequestRefused):
    """The call conflicts with another one (a 409 that does not replay a success)."""

    code = "conflict"
    next_step = "Read the booking before doing anything else."


class Locked(RequestRefused):
    """A call with the same idempotency key is still running (423)."""

    code = "locked"
    permanent = False
    next_step = "Try again shortly with the same idempotency key."


class Throttled(RequestRefused):
    """XCover's rate limit is used up (429). `retry_after` is the wait it asks for, in seconds."""

    code = "throttled"
    permanent = False
    next_step = "Wait, then try again."


class ServerFault(XCoverError):
    """XCover, or a gateway in front of it, failed (5xx)."""

    code = "server_fault"
    next_step = "Try again later with the same idempotency key."


class UnexpectedAnswer(XCoverError):
    """The response breaks the contract: a redirect, not JSON, a missing or malformed field.

    `field` is the dotted path of the malformed field, "" if the response as a whole is wrong.
    A write may have succeeded despite such a response, so its outcome counts as unknown.
    """

    code = "unexpected_answer"
    outcome_known = False
    next_step = "Check the base URL, then report the response to XCover."

    def __init__(
        self, reason: str = "", *, field: str = "", **details: Unpack[ErrorDetails]
    ) -> None:
        self.field = identifier(field)
        super().__init__(reason, **details)

    @classmethod
    def at(cls, field: str, reason: str) -> Self:
        """Return the error for one malformed field. `reason` contains no received value."""
        return cls(f"{identifier(field)} {reason}", field=field)
