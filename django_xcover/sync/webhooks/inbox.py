"""The inbox: handed over, taken by one worker, found again when lost, forgotten in the end."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.conf import get_config
from django_xcover.models import WebhookDelivery, WebhookRefusal
from django_xcover.models.webhook import WAITING
from django_xcover.outbox import operations
from django_xcover.outbox.transitions import move

logger = safe_logging.get_logger("django_xcover.webhooks")

SWEEP_LIMIT = 500
BATCH = 1000
State = WebhookDelivery.State
WORKER_DIED = "worker_died: the last worker died of it."


def announce(pk: int) -> None:
    """Hand the delivery to a worker once the present transaction, if any, has committed."""
    transaction.on_commit(partial(_announce, pk))


def take_again(delivery: WebhookDelivery) -> WebhookDelivery:
    """Note that the same body came once more: the booking is read again, whatever came of it.

    A repeat cannot be told from a second change that reads the same, and reading is harmless. A
    worker that is at it already may have read too early, so its outcome will not count, and it puts
    the delivery back itself: a hundred repeats meanwhile are one more reading.
    """
    now = timezone.now()
    again = {"received_at": now, "times_received": F("times_received") + 1}
    in_hand = WebhookDelivery.objects.in_hand(now).filter(pk=delivery.pk)
    if delivery.state == State.PROCESSING and in_hand.update(updated_at=now, **again):
        delivery.refresh_from_db()
        return delivery
    return _put_back(delivery, **again)


def replay(delivery: WebhookDelivery) -> WebhookDelivery:
    """Have the delivery looked into once more, for a person, and return it as it is then."""
    replayed = _put_back(delivery)
    announce(replayed.pk)
    return replayed


def claim(pk: int) -> WebhookDelivery | None:
    """Return the delivery for exactly one caller, leased and counted; None when it is not due.

    Nor is it while the booking is being read for another: that worker hands over what came since.
    A lease that ran out counts as a failure, or what every worker dies of would kill them for ever.
    Unlike an operation it needs no higher limit: reconciliation finds what a lost hint was about.
    """
    now = timezone.now()
    delivery = WebhookDelivery.objects.claimable(now).filter(pk=pk).first()
    if delivery is not None and WebhookDelivery.objects.about(delivery).in_hand(now).exists():
        return None
    if delivery is None or delivery.state != State.PROCESSING:
        return delivery and _lease(delivery)
    if delivery.failures + 1 < get_config().attempts:
        return _lease(delivery, failures=delivery.failures + 1, error=WORKER_DIED)
    fail(delivery, WORKER_DIED)
    return None


def _lease(delivery: WebhookDelivery, **facts: Any) -> WebhookDelivery | None:
    leased = settle(
        delivery,
        State.PROCESSING,
        attempts=delivery.attempts + 1,
        next_attempt_at=timezone.now() + timedelta(seconds=get_config().operation_lease),
        **facts,
    )
    return delivery if leased else None


def settle(delivery: WebhookDelivery, state: State, **facts: Any) -> bool:
    """Write what came of a claimed delivery; False when it came again or its lease was lost.

    One that came again is handed over once more: what was read may be older than the change.
    """
    mine = Q(attempts=delivery.attempts)
    as_read = mine & Q(times_received=delivery.times_received)
    if move(delivery, state, field="state", only=as_read, **facts):
        return True
    rows = WebhookDelivery.objects.filter(mine, pk=delivery.pk, state=State.PROCESSING)
    now = timezone.now()
    if rows.update(state=State.RECEIVED, failures=0, next_attempt_at=now, updated_at=now):
        announce(delivery.pk)
    return False


def fail(
    delivery: WebhookDelivery, error: str, *, permanent: bool = False, retry_after: float = 0.0
) -> None:
    """Have the delivery tried again later; after `XCOVER["ATTEMPTS"]` failures keep it as FAILED.

    At once when the failure is `permanent`. `error` begins with the name of its class, which is all
    of it that is logged.
    """
    failures = delivery.failures + 1
    give_up = permanent or failures >= get_config().attempts
    settled = settle(
        delivery,
        State.FAILED if give_up else State.RECEIVED,
        failures=failures,
        error=error,
        next_attempt_at=operations.next_attempt(failures, retry_after),
    )
    if settled and give_up:
        logger.error("Webhook %s failed: %s", delivery.pk, error.partition(":")[0])


def postpone(delivery: WebhookDelivery, seconds: float) -> None:
    """Put a claimed delivery back, because the rate limit had no room for it: no failure."""
    wait = timedelta(seconds=min(seconds, operations.LONGEST_POSTPONED))
    settle(delivery, State.RECEIVED, next_attempt_at=timezone.now() + wait)


def sweep() -> list[int]:
    """Hand over again what is due or whose worker died; return the primary keys."""
    due = WebhookDelivery.objects.claimable(timezone.now()).order_by("next_attempt_at")
    found = list(due.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for pk in found:
        announce(pk)
    return found


def forget() -> int:
    """Delete what came last WEBHOOK_RETENTION_DAYS ago or earlier; return how many rows.

    Failed ones as well: each was reported when it failed, and a hint so old tells nothing. What
    still waits to be looked into stays: no worker may have run for as long.
    """
    before = timezone.now() - timedelta(days=get_config().webhook_retention_days)
    WebhookRefusal.objects.filter(last_at__lt=before).delete()
    deleted = 0
    while pks := _older_than(before):
        deleted += _over(before).filter(pk__in=pks).delete()[0]
    return deleted


def _older_than(before: datetime) -> list[int]:
    # In batches, so that no delete holds a table of years' webhooks.
    rows = _over(before).order_by("received_at")
    return list(rows.values_list("pk", flat=True)[:BATCH])


def _over(before: datetime) -> QuerySet[WebhookDelivery]:
    return WebhookDelivery.objects.filter(received_at__lt=before).exclude(state__in=WAITING)


def _put_back(delivery: WebhookDelivery, **facts: Any) -> WebhookDelivery:
    """Make the delivery wait again. By primary key alone: any state may be followed by RECEIVED."""
    now = timezone.now()
    WebhookDelivery.objects.filter(pk=delivery.pk).update(
        state=State.RECEIVED, failures=0, next_attempt_at=now, updated_at=now, **facts
    )
    delivery.refresh_from_db()
    return delivery


def _announce(pk: int) -> None:
    signals.delivery_ready.send_robust(sender=WebhookDelivery, pk=pk)
