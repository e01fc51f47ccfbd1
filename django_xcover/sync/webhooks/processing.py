"""Process a webhook by reading the booking at XCover."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.client import HeldBack, XCoverError
from django_xcover.client.schemas.webhooks import webhook_from_wire
from django_xcover.exceptions import code_of
from django_xcover.mirror import refresh
from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.policies import renewal
from django_xcover.sync.webhooks import inbox
from django_xcover.sync.webhooks.bursts import Burst

logger = safe_logging.get_logger("django_xcover.webhooks")

State = WebhookDelivery.State


def process(pk: int) -> None:
    """Make one attempt at a delivery, if this caller gets the lease.

    Doesn't raise XCover's failures: the sweeper retries the delivery. After `XCOVER["ATTEMPTS"]`
    failures, or a permanent one, it is marked as FAILED and logged as an error.
    """
    delivery = inbox.claim(pk)
    if delivery is None:
        return
    burst = Burst.before_reading(delivery)
    try:
        state = _look_into(delivery)
    except HeldBack as held:
        inbox.postpone(delivery, held.retry_after or 0.0)
        burst.wait_with_it()
    except Exception as error:  # noqa: BLE001 - the delivery must not be lost
        _fail(delivery, error)
        burst.wait_with_it()
    else:
        now = timezone.now()
        inbox.settle(delivery, state, processed_at=now, failures=0, error="")
        burst.processed(state, now)
    burst.announce_next()


def _look_into(delivery: WebhookDelivery) -> State:
    """Read the booking again for any event, including unknown ones, and return the new state."""
    package_id, renewal_id = webhook_from_wire(delivery.body).ids
    package = _package(delivery.account, package_id, renewal_id)
    if package is None:
        # Only logged here; reconciliation lists bookings that are unknown to us.
        logger.warning("Webhook %s (%s) is about an unknown package.", delivery.pk, delivery.event)
        return State.UNKNOWN
    if delivery.event in renewal.EVENTS:
        renewal.on_event(delivery.event, package.package_id, package.account, renewal_id)
    else:
        refresh.refresh(package)
    return State.PROCESSED


def _package(account: str, package_id: str, renewal_id: str) -> QuotePackage | None:
    mine = QuotePackage.objects.filter(account=account)
    if package_id:
        return mine.filter(package_id=package_id).first()
    if not renewal_id:
        return None
    named = Q(renewals__announced_id=renewal_id) | Q(renewals__renewal_id=renewal_id)
    return mine.filter(named).first()


def _fail(delivery: WebhookDelivery, error: Exception) -> None:
    permanent = isinstance(error, XCoverError) and error.permanent
    retry_after = getattr(error, "retry_after", None) or 0.0
    inbox.fail(delivery, _describe(error), permanent=permanent, retry_after=retry_after)


def _describe(error: Exception) -> str:
    """Return the error for staff, without customers' input or XCover's text."""
    if isinstance(error, XCoverError):
        return f"{code_of(error)}: {error}"
    logger.error("A webhook failed unexpectedly: %s", safe_logging.describe(error))
    return f"{code_of(error)}: {safe_logging.STAFF_MESSAGE}"
