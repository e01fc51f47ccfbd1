"""Telling the customer that cover ends, and what the next period costs."""

from __future__ import annotations

import logging

from django.utils import timezone

from django_xcover import signals
from django_xcover.adapters import get_adapter
from django_xcover.models import Renewal, Status
from django_xcover.services import unexpected

logger = logging.getLogger(__name__)


def tell(renewal: Renewal) -> bool:
    """Let the shop tell the customer about a quoted renewal; True for the call that did.

    The shop's adapter writes to the customer, then `renewal_quoted` is sent. It happens once for
    each price, and only while there is cover to renew. When the adapter fails nobody counts as
    told, and beat's next look tells again.
    """
    if not renewal.package.quotes.filter(status=Status.CONFIRMED).exists():
        return False
    now = timezone.now()
    rows = Renewal.objects.filter(pk=renewal.pk, state=Renewal.State.QUOTED)
    if not rows.filter(notified_at=None).update(notified_at=now, updated_at=now):
        return False
    renewal.notified_at = now
    if not _hand_to_shop(renewal):
        rows.filter(notified_at=now).update(notified_at=None)
        renewal.notified_at = None
        return False
    signals.renewal_quoted.send_robust(sender=Renewal, renewal=renewal)
    return True


def _hand_to_shop(renewal: Renewal) -> bool:
    adapter = get_adapter()
    try:
        order = adapter.get_order(renewal.package.order_reference)
        adapter.send_renewal_notice(order, renewal)
    except Exception as error:  # noqa: BLE001 - the shop's code; the renewal goes on
        # Not `exception`: its traceback would quote the customer.
        logger.error(  # noqa: TRY400
            "The customer was not told of renewal %s: %s", renewal.pk, unexpected.describe(error)
        )
        return False
    return True
