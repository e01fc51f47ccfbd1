"""Telling the customer that cover ends, and what the next period costs."""

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


def tell(renewal: Renewal) -> bool:
    """Let the shop tell the customer about a quoted renewal; True for the call that did.

    The shop's adapter writes to the customer, then `renewal_quoted` is sent. It happens once for
    each price, and only while there is cover to renew. When the adapter fails nobody counts as
    told, and beat's next look tells again; so does one after a lease when the process dies in it.
    """
    lease = _claim(renewal)
    if lease is None:
        return False
    told = _hand_to_shop(renewal)
    at = timezone.now() if told else None
    # Another price since then has taken the lease away: of that one nobody has been told.
    rows = Renewal.objects.filter(pk=renewal.pk, telling_until=lease)
    rows.update(notified_at=at, telling_until=None)
    if told:
        renewal.notified_at = at
        signals.renewal_quoted.send_robust(sender=Renewal, renewal=renewal)
    return told


def _claim(renewal: Renewal) -> datetime | None:
    """Return until when this caller alone tells the customer; None when nobody is to be told."""
    if not renewal.package.quotes.filter(status=Status.CONFIRMED).exists():
        return None
    now = timezone.now()
    lease = now + timedelta(seconds=get_config().operation_lease)
    rows = Renewal.objects.filter(pk=renewal.pk, state=Renewal.State.QUOTED, notified_at=None)
    free = rows.filter(Q(telling_until=None) | lapsed("telling_until", now))
    return lease if free.update(telling_until=lease, updated_at=now) else None


def _hand_to_shop(renewal: Renewal) -> bool:
    adapter = get_adapter()
    try:
        order = adapter.get_order(renewal.package.order_reference)
        adapter.send_renewal_notice(order, renewal)
    except Exception as error:  # noqa: BLE001 - the shop's code; the renewal goes on
        # Not `exception`: its traceback would quote the customer.
        logger.error(  # noqa: TRY400
            "The customer was not told of renewal %s: %s", renewal.pk, safe_logging.describe(error)
        )
        return False
    return True
