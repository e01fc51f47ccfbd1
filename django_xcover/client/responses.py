"""Interpret a response: a decoded object, None, or a typed error."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from django_xcover.client import exact_json
from django_xcover.client.errors import (
    AuthenticationFailed,
    Conflict,
    Locked,
    NotFound,
    RequestRefused,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
    ValidationFailed,
    XCoverError,
)
from django_xcover.client.http import RawResponse, Request

_CLASSES: dict[int, type[XCoverError]] = {
    400: ValidationFailed,
    401: AuthenticationFailed,
    403: AuthenticationFailed,
    404: NotFound,
    409: Conflict,
    422: ValidationFailed,
    423: Locked,
    429: Throttled,
}
# XCover may have acted despite these: it failed midway or a gateway lost the response (408, 5xx),
# or an earlier call with the same key has run or is still running (409, 423).
_DOUBTFUL = {408, 409, 423}
_DUPLICATE = "duplicated request"
_AVAILABLE_IN = re.compile(r"available in (\d{1,6}(?:\.\d{1,6})?) second", re.ASCII | re.IGNORECASE)


class Response(dict[str, Any]):
    """A decoded JSON object, with amounts as Decimal or int, and its HTTP status.

    `replayed` is True if XCover repeated the stored response of an earlier call with the same
    idempotency key (its 409) instead of acting again. `repr()` shows only id and status, because
    responses contain personal data, tokens and links that open documents.
    """

    def __init__(
        self, data: Mapping[str, object], *, status_code: int = 200, replayed: bool = False
    ) -> None:
        super().__init__(data)
        self.status_code = status_code
        self.replayed = replayed

    def __repr__(self) -> str:
        shown = {name: self[name] for name in ("id", "status") if isinstance(self.get(name), str)}
        return f"<Response {self.status_code}{' replayed' if self.replayed else ''} {shown}>"

    # Sentry prints a mapping item by item, whatever its repr.
    __sentry_repr__ = __repr__


def interpret(raw: RawResponse, request: Request, *, empty_allowed: bool) -> Response | None:
    """Return the decoded object, or None for an empty response. Raise an XCoverError otherwise.

    `empty_allowed` is for endpoints that respond with 202 or 204 and no body.
    """
    repeated = raw.status == 409 and request.idempotency_key is not None
    if empty_allowed and _succeeds_empty(raw, repeated=repeated):
        return None
    replayed = repeated and _is_a_stored_success(raw)
    if not replayed and not 200 <= raw.status < 300:
        raise _failure(raw, request)
    return Response(_object(raw, request), status_code=raw.status, replayed=replayed)


def _succeeds_empty(raw: RawResponse, *, repeated: bool) -> bool:
    """Return whether a response is a success without content, or the replay of one.

    Opt-out documents "duplicated request" for its 409, because a 204 has no body to replay.
    """
    if not raw.body.strip():
        return repeated or 200 <= raw.status < 300
    message = str(_error_body(raw).get("message", "")).lower()
    return repeated and message.startswith(_DUPLICATE)


def _is_a_stored_success(raw: RawResponse) -> bool:
    """Return whether a 409 repeats the response to the first call (Quotes API: idempotency).

    The body of a real conflict is the error envelope instead.
    """
    body = _error_body(raw)
    has_content = any(body.get(name) for name in ("id", "quotes", "renewal_id"))
    return has_content and "message" not in body and "error" not in body


def _object(raw: RawResponse, request: Request) -> dict[str, Any]:
    """Return the body as a JSON object. Raise UnexpectedAnswer if it is not one."""
    known = not request.writes
    try:
        data = exact_json.decode(raw.body)
    except ValueError:
        reason = "the response is not JSON" if raw.body.strip() else "the response is empty"
        raise UnexpectedAnswer(reason, status=raw.status, outcome_known=known) from None
    if not isinstance(data, dict):
        reason = "the response is not a JSON object"
        raise UnexpectedAnswer(reason, status=raw.status, outcome_known=known)
    return data


def _failure(raw: RawResponse, request: Request) -> XCoverError:
    if raw.status < 400:
        return _redirect(raw, request)
    body = _error_body(raw)
    doubtful = raw.status >= 500 or raw.status in _DOUBTFUL
    return _class_of(raw.status, body)(
        status=raw.status,
        body=body,
        retry_after=_retry_after(raw, body),
        outcome_known=not (doubtful and request.writes),
    )


def _redirect(raw: RawResponse, request: Request) -> XCoverError:
    # 303 is the only redirect that means "done, see there". The others mean "not here".
    acted = raw.status < 300 or raw.status == 303
    return UnexpectedAnswer(
        "XCover does not redirect, so another server sent this response",
        status=raw.status,
        permanent=True,
        outcome_known=not (acted and request.writes),
    )


def _class_of(status: int, body: Mapping[str, Any]) -> type[XCoverError]:
    if status >= 500:
        return ServerFault
    # The gateway responds with 400 to every signature error (Quotes API: failure answers).
    if status == 400 and str(body.get("error", "")).startswith("Authorization"):
        return AuthenticationFailed
    return _CLASSES.get(status, RequestRefused)


def _error_body(raw: RawResponse) -> dict[str, Any]:
    """Return an error's JSON object, or {} without one: gateways send HTML, or nothing."""
    try:
        data = exact_json.decode(raw.body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {"errors": data}


def _retry_after(raw: RawResponse, body: Mapping[str, Any]) -> float | None:
    """Return the seconds to wait. A 429 without the header names them in its text (recorded)."""
    seconds = _retry_after_header(raw.headers)
    if seconds is not None or raw.status != 429:
        return seconds
    texts = (str(body.get(name) or "") for name in ("message", "error", "detail"))
    match = next(filter(None, map(_AVAILABLE_IN.search, texts)), None)
    return float(match[1]) if match else None


def _retry_after_header(headers: Mapping[str, str]) -> float | None:
    """Return `Retry-After`, in either of its two forms, as seconds, or None if it is absent."""
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, headers.get("Date"))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(value: str, now: str | None) -> float | None:
    """Return the seconds until an HTTP-date, by the server's clock if the response has a date."""
    moment = _http_date(value)
    if moment is None:
        return None
    present = _http_date(now or "") or datetime.now(UTC)
    return max(0.0, (moment - present).total_seconds())


def _http_date(value: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
