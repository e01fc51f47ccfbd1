"""Process webhooks by reading the booking at XCover, once for a burst of them.

A burst isn't defined by time. Its deliveries are listed before the read, so every change that they
hint at was made before the read began. Deliveries that arrive later, or again, aren't part of it
and cause another read, so the last change is never missed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.client import HeldBack, XCoverError
from django_xcover.client.schemas.webhooks import webhook_from_wire
from django_xcover.exceptions import code_of
from django_xcover.mirror import refresh
from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.policies import renewal
from django_xcover.sync.webhooks import inbox

logger = safe_logging.get_logger("django_xcover.webhooks")

State = WebhookDelivery.State
MOST = 500


@dataclass(frozen=True, slots=True)
class Burst:
    """The deliveries that wait for the same read as `delivery`: primary key and times received.

    A renewal's event does more than read, so it is only grouped with events of the same kind.
    """

    delivery: WebhookDelivery
    waiting: tuple[tuple[int, int], ...]

    @classmethod
    def before_reading(cls, delivery: WebhookDelivery) -> Burst:
        """Return the burst that waits now. Call it before the read."""
        rows = WebhookDelivery.objects.about(delivery).waiting().order_by("pk")
        if delivery.event not in renewal.EVENTS:
            alike = rows.exclude(event__in=renewal.EVENTS).values_list("pk", "times_received")
            return cls(delivery, tuple(alike[:MOST]))
        same = webhook_from_wire(delivery.body).ids
        rows = rows.filter(event=delivery.event)[:MOST]
        alike_ids = [row for row in rows if webhook_from_wire(row.body).ids == same]
        return cls(delivery, tuple((row.pk, row.times_received) for row in alike_ids))

    def processed(self, state: State, at: datetime) -> None:
        """Give all of them the state of the delivery."""
        self._update(state=state, processed_at=at, failures=0, error="")

    def wait_with_it(self) -> None:
        """Postpone all of them until the delivery is due again, if the read failed."""
        if self.delivery.state == State.RECEIVED:
            self._update(next_attempt_at=self.delivery.next_attempt_at)

    def announce_next(self) -> None:
        """Dispatch the first delivery that arrived in the meantime; the others are in its burst."""
        now = timezone.now()
        rows = WebhookDelivery.objects.about(self.delivery).waiting().claimable(now)
        for pk in rows.order_by("pk").values_list("pk", flat=True)[:1]:
            inbox.announce(pk)

    def _update(self, **columns: Any) -> None:
        for rows in self._as_listed():
            rows.update(updated_at=timezone.now(), **columns)

    def _as_listed(self) -> list[QuerySet[WebhookDelivery]]:
        """Return the rows that no worker has taken and that haven't arrived again since."""
        by_times: dict[int, list[int]] = defaultdict(list)
        for pk, times in self.waiting:
            by_times[times].append(pk)
        waiting = WebhookDelivery.objects.waiting()
        return [waiting.filter(pk__in=pks, times_received=times) for times, pks in by_times.items()]


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
