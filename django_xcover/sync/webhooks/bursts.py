"""Process a burst of webhooks about one booking with a single read.

The burst isn't defined by time. Its deliveries are listed before the read, so every change that
they hint at was made before the read began. Deliveries that arrive later, or again, aren't part of
it and cause another read, so the last change is never missed.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from django_xcover.client.schemas.webhooks import webhook_from_wire
from django_xcover.models import WebhookDelivery
from django_xcover.policies import renewal
from django_xcover.sync.webhooks import inbox

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
