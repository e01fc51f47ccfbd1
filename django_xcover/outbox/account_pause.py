"""Pause and resume the outbox of an account.

A pause only affects the outbox: operations are still recorded, but no worker claims them. Offers,
previews and webhooks continue. When XCover is down, the circuit breaker handles offers by itself.
"""

from __future__ import annotations

from django.db import transaction

from django_xcover import safe_logging
from django_xcover.conf import get_config
from django_xcover.models import AccountPause
from django_xcover.outbox import operations

logger = safe_logging.get_logger("django_xcover.outbox")

# Recorded as the user where no user is logged in.
COMMAND_LINE = "the command line"


def pause(account: str, *, by: str, reason: str = "") -> AccountPause:
    """Stop workers from claiming operations of `account`; operations in progress are finished.

    Does nothing if the account is already paused. `by` and `reason` are shown to staff. Raises
    ImproperlyConfigured if the account is not in the settings.
    """
    get_config().account(account)
    row, created = AccountPause.objects.get_or_create(
        account=account, defaults={"paused_by": by, "reason": reason}
    )
    if created:
        logger.warning("Account %s was paused by %s.", account, by)
    return row


def resume(account: str, *, by: str) -> bool:
    """Resume `account` and dispatch its due operations; return False if it was not paused.

    Also works for an account that has been removed from the settings.
    """
    with transaction.atomic():
        deleted, _ = AccountPause.objects.filter(account=account).delete()
        if deleted:
            logger.warning("Account %s was resumed by %s.", account, by)
            # The sweeper dispatches the rest; it runs every half minute.
            operations.sweep(package__account=account)
    return bool(deleted)


def is_paused(account: str) -> bool:
    """Return whether the operations of `account` are paused."""
    return AccountPause.objects.filter(account=account).exists()
