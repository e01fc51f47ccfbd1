"""Receive a webhook: verify, store and dispatch it, without a call to XCover."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from django_xcover.conf import Account, Config, get_config
from django_xcover.models import WebhookDelivery
from django_xcover.sync.webhooks import inbox, parsing, verification
from django_xcover.sync.webhooks.exceptions import NoSuchReceiver
from django_xcover.sync.webhooks.parsing import Message


def receive(request: HttpRequest, account: str) -> WebhookDelivery:
    """Store the webhook for the account named `account`, and dispatch it to a worker.

    One INSERT if it is new. Raises WebhookRefused or NoSuchReceiver, and then writes no row.
    """
    config = get_config()
    credentials = _credentials(config, account)
    verification.verify(request, credentials, tolerance=config.webhook_tolerance)
    message = parsing.read(request, limit=config.webhook_max_bytes)
    delivery = _store(account, message)
    inbox.announce(delivery.pk)
    return delivery


def _credentials(config: Config, name: str) -> Account:
    account = config.accounts.get(name)
    if account is None or not account.webhook_secrets:
        raise NoSuchReceiver("No account of this name has WEBHOOK_SECRETS.")
    return account


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
