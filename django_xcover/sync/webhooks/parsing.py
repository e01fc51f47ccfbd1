"""A request's body into a message that every database keeps."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.http import HttpRequest

from django_xcover.client.schemas.webhooks import webhook_from_wire
from django_xcover.sync.webhooks.exceptions import Reason, WebhookRefused

# MariaDB takes JSON up to 32 levels deep; a webhook of XCover's has five.
DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A webhook's body with what is looked up by: `key` is the same for the same bytes."""

    key: str
    event: str
    package_id: str
    body: Mapping[str, Any] = field(repr=False)


def read(request: HttpRequest, *, limit: int) -> Message:
    """Return the body of at most `limit` bytes; raise WebhookRefused when it cannot be kept.

    A JSON object is kept whatever it says: an event that nobody knows yet is no fault of XCover's.
    """
    raw = _bytes(request, limit)
    body = _parse(raw)
    named = webhook_from_wire(body)
    return Message(
        key=hashlib.sha256(raw).hexdigest(),
        event=named.event,
        package_id=named.package_id,
        body=body,
    )


def _bytes(request: HttpRequest, limit: int) -> bytes:
    try:
        raw = _stream(request).read(limit + 1)
    except Exception as error:  # servers raise errors of their own for a body in broken chunks
        name = type(error).__name__
        raise WebhookRefused(
            f"The body could not be read until it was complete: {name}.", Reason.BODY
        ) from error
    if len(raw) > limit:
        raise WebhookRefused("The body is larger than WEBHOOK_MAX_BYTES.", Reason.BODY)
    return bytes(raw)


def _stream(request: HttpRequest) -> Any:
    """Return what the body is read from.

    A body in chunks has no Content-Length, and without one Django reads nothing, although the
    server tells that it knows where such a body ends.
    """
    facts = request.META
    if facts.get("wsgi.input_terminated") and not facts.get("CONTENT_LENGTH"):
        return facts["wsgi.input"]
    return request


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, parse_constant=_refuse)
        _check(body)
    except (ValueError, RecursionError):
        # Without the cause: it quotes the body.
        raise WebhookRefused(
            "The body is no JSON, or none that every database keeps.", Reason.BODY
        ) from None
    if not isinstance(body, dict):
        raise WebhookRefused("The body is no JSON object.", Reason.BODY)
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON.")


def _check(value: Any, depth: int = 0) -> None:
    """Raise ValueError for what some database refuses: NUL, infinity, half characters, depths."""
    if depth > DEEPEST or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError
    if isinstance(value, str):
        value.encode()
        if "\0" in value:
            raise ValueError
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    for item in inner if isinstance(inner, list) else ():
        _check(item, depth + 1)
