"""What an answer means: a decoded object, nothing, or a typed error."""

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
from django_xcover.client.http import RawAnswer, Request

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
# After these XCover may have acted: it failed midway, a gateway lost it (408, 5xx), or an earlier
# call with the key has run or runs still (409, 423).
_DOUBTFUL = {408, 409, 423}
_DUPLICATE = "duplicated request"
_AVAILABLE_IN = re.compile(r"available in (\d{1,6}(?:\.\d{1,6})?) second", re.ASCII | re.IGNORECASE)


class Answer(dict[str, Any]):
    """A decoded JSON object, amounts as Decimal or int, with how it came.

    `replayed` is True when XCover repeated the stored answer of an earlier call with the same
    idempotency key (its 409) instead of acting again. `repr()` shows id and status only: answers
    hold personal data, tokens and links that open documents.
    """

    def __init__(
        self, data: Mapping[str, object], *, status_code: int = 200, replayed: bool = False
    ) -> None:
        super().__init__(data)
        self.status_code = status_code
        self.replayed = replayed

    def __repr__(self) -> str:
        known = {name: self[name] for name in ("id", "status") if isinstance(self.get(name), str)}
        return f"<Answer {self.status_code}{' replayed' if self.replayed else ''} {known}>"


def understand(raw: RawAnswer, request: Request, *, empty_allowed: bool) -> Answer | None:
    """Return the answer's object, or None for an empty one; raise an XCoverError otherwise.

    `empty_allowed` is for endpoints that answer 202 or 204 without a body.
    """
    repeated = raw.status == 409 and request.idempotency_key is not None
    if empty_allowed and _succeeds_empty(raw, repeated=repeated):
        return None
    replayed = repeated and _is_a_stored_success(raw)
    if not replayed and not 200 <= raw.status < 300:
        raise _failure(raw, request)
    return Answer(_object(raw, request), status_code=raw.status, replayed=replayed)


def _succeeds_empty(raw: RawAnswer, *, repeated: bool) -> bool:
    """Tell whether an answer is a success without content, or the replay of one.

    Opt-out documents "duplicated request" for its 409: the replay of a 204 has nothing to repeat.
    """
    if not raw.body.strip():
        return repeated or 200 <= raw.status < 300
    said = str(_error_body(raw).get("message", "")).lower()
    return repeated and said.startswith(_DUPLICATE)


def _is_a_stored_success(raw: RawAnswer) -> bool:
    """Tell whether a 409 repeats the first call's answer (Quotes API: idempotency).

    A conflict's own body is the error envelope instead.
    """
    body = _error_body(raw)
    carries = any(body.get(name) for name in ("id", "quotes", "renewal_id"))
    return carries and "message" not in body and "error" not in body


def _object(raw: RawAnswer, request: Request) -> dict[str, Any]:
    """Return the body as a JSON object; raise UnexpectedAnswer when it is none."""
    known = not request.writes
    try:
        data = exact_json.decode(raw.body)
    except ValueError:
        what = "the answer is not JSON" if raw.body.strip() else "the answer is empty"
        raise UnexpectedAnswer(what, status=raw.status, outcome_known=known) from None
    if not isinstance(data, dict):
        what = "the answer is not a JSON object"
        raise UnexpectedAnswer(what, status=raw.status, outcome_known=known)
    return data


def _failure(raw: RawAnswer, request: Request) -> XCoverError:
    if raw.status < 400:
        return _redirected(raw, request)
    body = _error_body(raw)
    doubtful = raw.status >= 500 or raw.status in _DOUBTFUL
    return _class_of(raw.status, body)(
        status=raw.status,
        body=body,
        retry_after=_wait(raw, body),
        outcome_known=not (doubtful and request.writes),
    )


def _redirected(raw: RawAnswer, request: Request) -> XCoverError:
    # 303 is the one redirect that says "done, look there"; the others say "not here".
    acted = raw.status < 300 or raw.status == 303
    return UnexpectedAnswer(
        "XCover does not redirect, so this came from somewhere else",
        status=raw.status,
        permanent=True,
        outcome_known=not (acted and request.writes),
    )


def _class_of(status: int, body: Mapping[str, Any]) -> type[XCoverError]:
    if status >= 500:
        return ServerFault
    # The gateway answers 400 for every fault of the signature (Quotes API: failure answers).
    if status == 400 and str(body.get("error", "")).startswith("Authorization"):
        return AuthenticationFailed
    return _CLASSES.get(status, RequestRefused)


def _error_body(raw: RawAnswer) -> dict[str, Any]:
    """Return an error's JSON object, {} when it has none: gateways answer with HTML, or nothing."""
    try:
        data = exact_json.decode(raw.body)
    except ValueError:
        return {}
    return data if isinstance(data, dict) else {"errors": data}


def _wait(raw: RawAnswer, body: Mapping[str, Any]) -> float | None:
    """Return how long to wait: a 429 without the header says it in its text (recorded)."""
    asked = _retry_after(raw.headers)
    if asked is not None or raw.status != 429:
        return asked
    texts = (str(body.get(name) or "") for name in ("message", "error", "detail"))
    found = next(filter(None, map(_AVAILABLE_IN.search, texts)), None)
    return float(found[1]) if found else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return `Retry-After` in seconds, from either of its two forms, None when it has none."""
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value, headers.get("Date"))
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds_until(value: str, now: str | None) -> float | None:
    """Return the seconds to an HTTP-date, by the server's own clock when it tells it."""
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
