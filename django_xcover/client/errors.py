"""What can go wrong in a call to XCover: one tree, every branch answers the same two questions.

`permanent`: would the same call fail again however often it is made?
`outcome_known`: is it certain what XCover did? If not, read the booking before a second post.

`message`, `errors` and `field_errors` are the vendor's words and may repeat what a customer typed,
so they are attributes only: `str()`, `repr()` and pickles leave them out.
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
    """Return `value` as one printable line of at most `limit` characters; "" for no text."""
    if not isinstance(value, str):
        return ""
    # Categories C*: control, format (bidi overrides), surrogates: they forge or garble log lines.
    line = "".join(c if not unicodedata.category(c).startswith("C") else " " for c in value[:5000])
    return " ".join(line.split())[:limit]


def identifier(value: object) -> str:
    """Return `value` with only the characters of a field name, code or id; "" for no text."""
    if not isinstance(value, str):
        return ""
    return _NOT_IN_IDENTIFIER.sub("_", value[:IDENTIFIER_LIMIT])


NO_FIELD = "non_field_errors"
DEEPEST = 12
MOST = 200
_SPOKEN = ("details", "detail", "message")

FieldErrors = dict[str, list[str]]


def flatten(errors: object) -> FieldErrors:
    """Return `{"policyholder.phone": ["…"]}`; errors of no field go under `non_field_errors`."""
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
    spoken = _spoken(node)
    if spoken is not None:
        yield from _walk(spoken, path, depth + 1)
        return
    for name, below in node.items():
        step = () if name == NO_FIELD and not path else (clean(str(name), 80),)
        yield from _walk(below, path + step, depth + 1)


def _walk_list(
    node: list[Any], path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], str]]:
    for index, below in enumerate(node):
        # Only objects with fields of their own need their place in the list.
        placed = isinstance(below, Mapping) and _spoken(below) is None
        yield from _walk(below, (*path, str(index)) if placed else path, depth + 1)


def _spoken(node: Mapping[Any, Any]) -> Any:
    """Return the sentences of an error object, None when its keys are field names.

    An error object carries `type` or `code` beside its sentence; a field may be called `message`.
    """
    if "type" not in node and "code" not in node:
        return None
    return next((node[key] for key in _SPOKEN if node.get(key)), None)


NAMES_SHOWN = 10


class ErrorFacts(TypedDict, total=False):
    """What an XCoverError is made with besides its reason."""

    status: int | None
    body: Mapping[str, object] | None
    retry_after: float | None
    permanent: bool | None
    outcome_known: bool | None


class XCoverError(Exception):
    """Say that a call to XCover did not succeed.

    Attributes: `code` (ours, one for each class), `status` (HTTP status or None), `vendor_type`,
    `vendor_code`, `error_id` (XCover's own words for the fault, "" when absent), `message` (text),
    `errors` (JSON as sent), `field_errors` (`{"policyholder.phone": ["…"]}`), `permanent`,
    `outcome_known`, `retry_after` (seconds or None), `reading` (the call could change nothing, so
    it says nothing about an earlier one).
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
        """Take a `reason` in our own words (no value from outside) and the answer's JSON object."""
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
        # The gateway says `error`, Django REST framework `detail` (Quotes API: error body).
        self.message = clean(body.get("message") or body.get("error") or body.get("detail"))
        self.errors: object = body.get("errors")
        self.field_errors = flatten(self.errors)

    def __str__(self) -> str:
        return " ".join(part for part in (self._what(), self._fields(), self.next_step) if part)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self}>"

    def _what(self) -> str:
        facts = [str(self.status or ""), self.vendor_type, self.vendor_code, self.args[0]]
        facts += [f"error id {self.error_id}"] if self.error_id else []
        told = ", ".join(fact for fact in facts if fact)
        return f"{told}." if told else ""

    def _fields(self) -> str:
        names = sorted(identifier(name) or "?" for name in self.field_errors)[:NAMES_SHOWN]
        return f"Fields: {', '.join(names)}." if names else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # Celery pickles what a task raised: the vendor's words must not reach a broker.
        kept = {**self.__dict__, "message": "", "errors": None, "field_errors": {}}
        return (_rebuild, (type(self), self.args[0], kept))


def _rebuild(cls: type[XCoverError], reason: str, state: dict[str, Any]) -> XCoverError:
    error = cls.__new__(cls, reason)
    Exception.__init__(error, reason)
    error.__dict__.update(state)
    return error


class ConfigurationError(XCoverError):
    """Say that the client was built with something it cannot work with."""

    code = "configuration_error"
    permanent = True
    next_step = "Correct the client's configuration."


class InvalidPayload(XCoverError):
    """Say that the arguments of a call cannot be sent; nothing was sent."""

    code = "invalid_payload"
    permanent = True
    next_step = "Correct the call's arguments."


class ConnectionFailed(XCoverError):
    """Say that the network failed before a whole answer was read.

    `request_sent` is False when provably no byte of the request left (name, connect, TLS, proxy).
    """

    code = "connection_failed"
    next_step = "Check the network path to XCover, then try again."

    def __init__(
        self, reason: str = "", *, request_sent: bool = True, **facts: Unpack[ErrorFacts]
    ) -> None:
        super().__init__(reason, **facts)
        self.request_sent = request_sent


class DeadlineExceeded(XCoverError):
    """Say that the call's time was used up before a whole answer was read."""

    code = "deadline_exceeded"
    next_step = "Try again later, or allow the call more time."


class NoTimeLeft(DeadlineExceeded):
    """Say that the time was used up before the call could begin; nothing was sent.

    It says nothing about XCover: the caller itself had used it up.
    """

    code = "no_time_left"


class HeldBack(XCoverError):
    """Say that this side's own rate limit left no room for the call; nothing was sent.

    `retry_after` is when there may be room.
    """

    code = "held_back"
    next_step = "Try again later, or ask XCover for a higher rate limit."


class RequestRefused(XCoverError):
    """Say that XCover refused the request (any 4xx without a class of its own)."""

    code = "request_refused"
    permanent = True
    next_step = "Compare the request with XCover's documentation."


class ValidationFailed(RequestRefused):
    """Say that XCover found the request invalid, or its state not fit for it (400, 422)."""

    code = "validation_failed"
    next_step = "See .field_errors for what XCover says about each field."


class AuthenticationFailed(RequestRefused):
    """Say that key, secret or signature were not accepted (401, 403)."""

    code = "authentication_failed"
    next_step = "Check API key, API secret, partner code, base URL and this machine's clock."


class NotFound(RequestRefused):
    """Say that XCover knows no such object for this partner (404)."""

    code = "not_found"
    next_step = "Check the id, and that it belongs to this partner and environment."


class Conflict(RequestRefused):
    """Say that the call conflicts with another one (409 that replays no success)."""

    code = "conflict"
    next_step = "Read the booking before doing anything else."


class Locked(RequestRefused):
    """Say that a call with the same idempotency key is still running (423)."""

    code = "locked"
    permanent = False
    next_step = "Try again shortly with the same idempotency key."


class Throttled(RequestRefused):
    """Say that the rate limit is used up (429); `retry_after` is XCover's wait in seconds."""

    code = "throttled"
    permanent = False
    next_step = "Wait, then try again."


class ServerFault(XCoverError):
    """Say that XCover, or a gateway before it, failed (5xx)."""

    code = "server_fault"
    next_step = "Try again later with the same idempotency key."


class UnexpectedAnswer(XCoverError):
    """Say that an answer is not what the contract promises: a redirect, no JSON, a wrong shape.

    `field` is the dotted path of the wrong field, "" when the answer as a whole is wrong.
    A write may have happened behind such an answer, so its outcome counts as unknown.
    """

    code = "unexpected_answer"
    outcome_known = False
    next_step = "Check the base URL, then report the answer to XCover."

    def __init__(self, reason: str = "", *, field: str = "", **facts: Unpack[ErrorFacts]) -> None:
        self.field = identifier(field)
        super().__init__(reason, **facts)

    @classmethod
    def at(cls, field: str, reason: str) -> Self:
        """Return the error for one malformed field; `reason` holds no value from the wire."""
        return cls(f"{identifier(field)} {reason}", field=field)
