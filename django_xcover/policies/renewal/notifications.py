"""Notify the customer that cover ends, and what the next period costs."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.adapters import get_adapter
from django_xcover.conf import get_config
from django_xcover.models import Renewal, Status
from django_xcover.models.base import lapsed

logger = safe_logging.get_logger("django_xcover.policies")


def notify(renewal: Renewal) -> bool:
    """Have the shop notify the customer of a quoted renewal; return True if this call did.

    The shop's adapter writes to the customer, then `renewal_quoted` is sent: once for each price,
    and only while there is cover to renew. If the adapter fails, the customer doesn't count as
    notified, and the next run of beat tries again. If the process dies, it is tried again when the
    lease has expired.
    """
    lease = _claim(renewal)
    if lease is None:
        return False
    is_notified = _send_notice(renewal)
    at = timezone.now() if is_notified else None
    # A new price in the meantime has removed the lease; the customer hasn't been notified of it.
    rows = Renewal.objects.filter(pk=renewal.pk, telling_until=lease)
    rows.update(notified_at=at, telling_until=None)
    if is_notified:
        renewal.notified_at = at
        signals.renewal_quoted.send_robust(sender=Renewal, renewal=renewal)
    return is_notified


def _claim(renewal: Renewal) -> datetime | None:
    """Claim the notice and return when the lease ends; None if there is nothing to send."""
    if not renewal.package.quotes.filter(status=Status.CONFIRMED).exists():
        return None
    now = timezone.now()
    lease = now + timedelta(seconds=get_config().operation_lease)
    rows = Renewal.objects.filter(pk=renewal.pk, state=Renewal.State.QUOTED, notified_at=None)
    free = rows.filter(Q(telling_until=None) | lapsed("telling_until", now))
    return lease if free.update(telling_until=lease, updated_at=now) else None


def _send_notice(renewal: Renewal) -> bool:
    adapter = get_adapter()
    try:
        order = adapter.get_order(renewal.package.order_reference)
        adapter.send_renewal_notice(order, renewal)
    except Exception as error:  # noqa: BLE001 - the shop's code; the renewal goes on
        # Not `exception`: its traceback would quote the customer.
        logger.error(  # noqa: TRY400
            "The notice of renewal %s was not sent: %s", renewal.pk, safe_logging.describe(error)
        )
        return False
    return True
