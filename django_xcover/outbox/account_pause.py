"""Holding the outbox of an account still, and letting it go on.

A pause is for the outbox alone: what shops and shoppers ask for is written down as ever, and no
worker takes it. Offers, previews and webhooks go on; when XCover is down the circuit breaker sees
to the offers by itself.
"""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.conf import get_config
from django_xcover.models import AccountPause, Operation
from django_xcover.outbox import operations

logger = safe_logging.get_logger("django_xcover.outbox")

# Who it was, where nobody is logged in.
COMMAND_LINE = "the command line"


def pause(account: str, *, by: str, reason: str = "") -> AccountPause:
    """Let no worker take an operation of `account` from now on; one under way is finished.

    Of an account that is paused already nothing is changed. `by` says who did it and `reason` why,
    for people. Raises ImproperlyConfigured for an account that is not in the settings.
    """
    get_config().account(account)
    row, created = AccountPause.objects.get_or_create(
        account=account, defaults={"paused_by": by, "reason": reason}
    )
    if created:
        logger.warning("Account %s was paused by %s.", account, by)
    return row


def resume(account: str, *, by: str) -> bool:
    """Let the operations of `account` go on, and hand over what is due; False if none was paused.

    Also for an account that is gone from the settings.
    """
    with transaction.atomic():
        deleted, _ = AccountPause.objects.filter(account=account).delete()
        if deleted:
            logger.warning("Account %s was resumed by %s.", account, by)
            _hand_over(account)
    return bool(deleted)


def is_paused(account: str) -> bool:
    """Return whether the operations of `account` wait until somebody resumes it."""
    return AccountPause.objects.filter(account=account).exists()


def _hand_over(account: str) -> None:
    # The rest is the sweeper's: it comes round every half minute.
    due = Operation.objects.claimable(timezone.now()).filter(package__account=account)
    rows = due.order_by("next_attempt_at").values_list("pk", flat=True)
    for pk in rows[: operations.SWEEP_LIMIT]:
        operations.announce(pk)
