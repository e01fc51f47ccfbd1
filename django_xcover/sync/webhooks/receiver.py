"""Receive a webhook without a call to XCover: verify the sender, parse the body, store it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Any, NoReturn

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from django_xcover.client.schemas.webhooks import webhook_from_wire
from django_xcover.conf import get_config
from django_xcover.models import WebhookDelivery
from django_xcover.sync.webhooks import inbox, verification
from django_xcover.sync.webhooks.verification import NoSuchReceiver, Reason, WebhookRefused

# MariaDB stores JSON up to 32 levels deep; XCover's webhooks have five.
DEEPEST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A webhook's body with its lookup values; `key` is a hash of the bytes."""

    key: str
    event: str
    package_id: str
    body: Mapping[str, Any] = field(repr=False)


def read(request: HttpRequest, *, limit: int) -> Message:
    """Return the message; raise WebhookRefused if it exceeds `limit` bytes or can't be stored.

    Any JSON object is accepted, because XCover may send events that this version doesn't know.
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
    except Exception as error:  # servers raise their own errors for a body in broken chunks
        name = type(error).__name__
        raise WebhookRefused(
            f"The body could not be read completely: {name}.", Reason.BODY
        ) from error
    if len(raw) > limit:
        raise WebhookRefused("The body is larger than WEBHOOK_MAX_BYTES.", Reason.BODY)
    return bytes(raw)


def _stream(request: HttpRequest) -> Any:
    """Return the stream to read the body from.

    A chunked body has no Content-Length, and without one Django reads nothing, even if the server
    says that it knows where the body ends.
    """
    meta = request.META
    if meta.get("wsgi.input_terminated") and not meta.get("CONTENT_LENGTH"):
        return meta["wsgi.input"]
    return request


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw, parse_constant=_refuse)
        _check(body)
    except (ValueError, RecursionError):
        # `from None`, because the cause quotes the body.
        raise WebhookRefused(
            "The body is not JSON, or not every database can store it.", Reason.BODY
        ) from None
    if not isinstance(body, dict):
        raise WebhookRefused("The body is not a JSON object.", Reason.BODY)
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError("NaN and Infinity are not JSON.")


def _check(value: Any, depth: int = 0) -> None:
    """Raise ValueError for what some database refuses: NUL, infinity, lone surrogates, depth."""
    if depth > DEEPEST or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError
    if isinstance(value, str):
        value.encode()
        if "\0" in value:
            raise ValueError
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    for item in inner if isinstance(inner, list) else ():
        _check(item, depth + 1)


def receive(request: HttpRequest, account: str) -> WebhookDelivery:
    """Store the webhook for the account named `account`, and dispatch it to a worker.

    One INSERT if it is new. Raises WebhookRefused or NoSuchReceiver, and then writes no row.
    """
    config = get_config()
    credentials = config.accounts.get(account)
    if credentials is None or not credentials.webhook_secrets:
        raise NoSuchReceiver("No account of this name has WEBHOOK_SECRETS.")
    verification.verify(request, credentials, tolerance=config.webhook_tolerance)
    message = read(request, limit=config.webhook_max_bytes)
    delivery = _store(account, message)
    inbox.announce(delivery.pk)
    return delivery


def _store(account: str, message: Message) -> WebhookDelivery:
    try:
        return _create(account, message)
    except IntegrityError:
        pass  # received before
    try:
        return inbox.take_again(WebhookDelivery.objects.get(account=account, key=message.key))
    except WebhookDelivery.DoesNotExist:
        return _create(account, message)  # the old row was deleted at this moment


def _create(account: str, message: Message) -> WebhookDelivery:
    with _savepoint():
        return WebhookDelivery.objects.create(
            account=account,
            key=message.key,
            event=message.event,
            package_id=message.package_id,
            body=message.body,
        )


def _savepoint() -> AbstractContextManager[object]:
    """Return a savepoint that protects an outer transaction from a duplicate's error.

    Without an outer transaction none is needed: BEGIN and COMMIT would be two more round trips.
    """
    around = transaction.get_connection().in_atomic_block
    return transaction.atomic() if around else nullcontext()
