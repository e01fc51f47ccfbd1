"""The inbox: dispatch deliveries, lease them to one worker, find lost ones, delete old ones."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.conf import get_config
from django_xcover.models import WebhookDelivery, WebhookRefusal
from django_xcover.models.sync import WAITING
from django_xcover.outbox.lease import Lease

logger = safe_logging.get_logger("django_xcover.webhooks")

BATCH = 1000
State = WebhookDelivery.State
WORKER_DIED = "worker_died: the last worker died of it."


class DeliveryLease(Lease[WebhookDelivery]):
    """A delivery can come again while a worker has it, and one worker reads a booking at a time.

    An expired lease counts as a failure: a delivery that kills its worker must not do so forever.
    Unlike an operation it needs no higher limit: reconciliation finds what a lost hint was about.
    """

    model = WebhookDelivery
    waiting, held, stopped = State.RECEIVED, State.PROCESSING, State.FAILED
    ready = signals.delivery_ready

    def as_read(self, row: WebhookDelivery) -> Q:
        return super().as_read(row) & Q(times_received=row.times_received)

    def find(self, pk: int) -> WebhookDelivery | None:
        """Return None also while a worker reads the booking: it dispatches what came since."""
        row = super().find(pk)
        is_being_read = row and WebhookDelivery.objects.about(row).in_hand(timezone.now()).exists()
        return None if is_being_read else row

    def take_over(self, row: WebhookDelivery) -> WebhookDelivery | None:
        failures = row.failures + 1
        if failures < get_config().attempts:
            return self.take(row, failures=failures, error=WORKER_DIED)
        fail(row, WORKER_DIED)
        return None

    def write(self, row: WebhookDelivery, state: str, **facts: Any) -> bool:
        """If the delivery came again, dispatch it: what was read may be older than the change."""
        if super().write(row, state, **facts):
            return True
        mine = WebhookDelivery.objects.filter(super().as_read(row), pk=row.pk, state=self.held)
        if mine.update(**_anew()):
            self.announce(row.pk)
        return False


LEASE = DeliveryLease()
claim, announce, sweep = LEASE.claim, LEASE.announce, LEASE.sweep
settle, postpone = LEASE.write, LEASE.put_back


def take_again(delivery: WebhookDelivery) -> WebhookDelivery:
    """Record that the same body arrived again; the booking is read again in any case.

    A repeat can't be distinguished from a second change with the same body, and reading is
    harmless. A worker that is processing it may have read too early, so its result won't count, and
    it puts the delivery back itself: a hundred repeats in the meantime cause one more read.
    """
    now = timezone.now()
    again = {"received_at": now, "times_received": F("times_received") + 1}
    in_hand = WebhookDelivery.objects.in_hand(now).filter(pk=delivery.pk)
    if delivery.state == State.PROCESSING and in_hand.update(updated_at=now, **again):
        delivery.refresh_from_db()
        return delivery
    return _reset(delivery, **again)


def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """Process the delivery again, at a person's request, and return it freshly read."""
    replayed = _reset(delivery)
    announce(replayed.pk)
    return replayed


def fail(
    delivery: WebhookDelivery, error: str, *, permanent: bool = False, retry_after: float = 0.0
) -> None:
    """Retry the delivery later; after `XCOVER["ATTEMPTS"]` failures mark it as FAILED.

    A `permanent` failure is marked at once. `error` begins with its code, and only that is logged.
    """
    failed = LEASE.fail(delivery, permanent=permanent, retry_after=retry_after, error=error)
    if failed and delivery.state == State.FAILED:
        logger.error("Webhook %s failed: %s", delivery.pk, error.partition(":")[0])


def forget() -> int:
    """Delete deliveries last received WEBHOOK_RETENTION_DAYS ago or earlier; return their number.

    This includes failed ones: each was logged when it failed, and such an old hint is useless.
    Unprocessed ones stay, because perhaps no worker has run for that long.
    """
    before = timezone.now() - timedelta(days=get_config().webhook_retention_days)
    WebhookRefusal.objects.filter(last_at__lt=before).delete()
    deleted = 0
    # In batches, so that no delete locks years of webhooks.
    rows = _over(before).order_by("received_at").values_list("pk", flat=True)
    while pks := list(rows[:BATCH]):
        deleted += _over(before).filter(pk__in=pks).delete()[0]
    return deleted


def _over(before: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(received_at__lt=before).exclude(state__in=WAITING)


def _reset(delivery: WebhookDelivery, **columns: Any) -> WebhookDelivery:
    """Make the delivery wait again. Matches only the key: any state may change to RECEIVED."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(**_anew(), **columns)
    delivery.refresh_from_db()
    return delivery


def _anew() -> dict[str, Any]:
    """Return the column values of a delivery that has just arrived."""
    now = timezone.now()
    return {"state": State.RECEIVED, "failures": 0, "next_attempt_at": now, "updated_at": now}
