"""A lease: one worker at a time holds a row, and only that worker may write what came of it.

`attempts` counts how often a row was taken. Each write compares it, so a worker that outlived its
lease changes nothing any more. `failures` counts the attempts that failed; too many stop the row.
If a worker dies, its row is found again when the lease has run out: an operation counts that in
`deaths` (`outbox.operations`), a webhook delivery as a failure.

Times too far ahead, written by a fast clock, count as past (`models.base`).
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Generic, TypeVar

from django.db import transaction
from django.db.models import Q
from django.dispatch import Signal
from django.utils import timezone

from django_xcover.conf import get_config
from django_xcover.models import Heartbeat, Operation, WebhookDelivery
from django_xcover.outbox.transitions import transition

SWEEP_LIMIT = 500
LONGEST_SPACING = 3600.0
# `Retry-After` can hold any number, even one beyond the range of a datetime.
LONGEST_WAIT = 86400.0
# Twice the longest wait that the rate limit asks for. It may use another machine's clock.
LONGEST_POSTPONED = 120.0

RowT = TypeVar("RowT", Operation, WebhookDelivery)


class Lease(Generic[RowT]):
    """How the rows of one model are held; what differs between models is set in a subclass.

    A row in the state `waiting` may be taken when it is due, one in `held` when the lease in the
    column `until` has run out, one in `stopped` never. The signal `ready` dispatches a row.
    """

    model: type[RowT]
    waiting: str
    held: str
    stopped: str
    until: str = "next_attempt_at"
    ready: Signal

    @property
    def has_own_lease_column(self) -> bool:
        """Return whether the end of the lease is in a column of its own, which can be empty.

        A webhook delivery keeps it in `next_attempt_at`.
        """
        return self.until != "next_attempt_at"

    def as_read(self, row: RowT) -> Q:
        """Return the condition that the row is still as `row` was read: the fence."""
        return Q(attempts=row.attempts)

    def find(self, pk: int) -> RowT | None:
        """Return the row if it may be taken."""
        return self.model.objects.claimable(timezone.now()).filter(pk=pk).first()

    def take_over(self, row: RowT) -> RowT | None:
        """Take a row whose worker died, or let it fail if too many have; count the death."""
        raise NotImplementedError

    def claim(self, pk: int) -> RowT | None:
        """Return the row, leased to exactly one caller, or None if it can't be taken."""
        row = self.find(pk)
        if row is None:
            return None
        return self.take_over(row) if row.state == self.held else self.take(row)

    def take(self, row: RowT, **facts: Any) -> RowT | None:
        """Lease the row and count the attempt; return None if another worker was first."""
        ends = timezone.now() + timedelta(seconds=get_config().operation_lease)
        taken = {"attempts": row.attempts + 1, self.until: ends, **facts}
        return row if self.write(row, self.held, **taken) else None

    def put_back(self, row: RowT, seconds: float | None, **facts: Any) -> bool:
        """Let the row wait because of the rate limit, without counting a failure."""
        wait = timedelta(seconds=min(seconds or 0.0, LONGEST_POSTPONED))
        return self.write(row, self.waiting, next_attempt_at=timezone.now() + wait, **facts)

    def fail(self, row: RowT, *, permanent: bool, retry_after: float, **facts: Any) -> bool:
        """Count a failure and schedule the next attempt; return False if the lease was lost.

        The row stops at once if a retry can't help, otherwise after XCOVER["ATTEMPTS"] failures.
        """
        failures = row.failures + 1
        stops = permanent or failures >= get_config().attempts
        due = next_attempt(failures, retry_after)
        state = self.stopped if stops else self.waiting
        return self.write(row, state, failures=failures, next_attempt_at=due, **facts)

    def write(self, row: RowT, state: str, **facts: Any) -> bool:
        """Set the state and more columns; return False if the row is not as it was read."""
        if state != self.held and self.has_own_lease_column:
            facts[self.until] = None
        return transition(row, state, field="state", only=self.as_read(row), **facts)

    def announce(self, pk: int) -> None:
        """Dispatch the row once the current transaction, if any, has committed."""
        transaction.on_commit(partial(self.dispatch, pk))

    def dispatch(self, pk: int) -> None:
        """Dispatch the row now. Twice is harmless, because a worker has to claim it first."""
        self.ready.send_robust(sender=self.model, pk=pk)

    def sweep(self, **only: Any) -> list[int]:
        """Dispatch the rows that are due or whose worker died; return their primary keys."""
        due = self.model.objects.claimable(timezone.now()).filter(**only)
        found = list(due.order_by("next_attempt_at").values_list("pk", flat=True)[:SWEEP_LIMIT])
        for pk in found:
            self.announce(pk)
        return found


def one_retry_spacing_from_now() -> datetime:
    """Return when a first retry would be made."""
    return next_attempt(1, 0)


def next_attempt(failures: int, retry_after: float) -> datetime:
    """Return when to try again: the vendor's spacing, doubled each time, with jitter.

    XCover asks for 2 to 5 minutes between attempts (error management). `Retry-After` is honoured
    up to a day.
    """
    # Thirty doublings exceed any spacing; a thousand would overflow a float.
    doubled = 2 ** min(failures - 1, 30)
    base = min(get_config().retry_spacing * doubled, LONGEST_SPACING)
    spacing = base * random.uniform(1.0, 1.5)  # noqa: S311 - no secret
    seconds = max(spacing, min(retry_after, LONGEST_WAIT))
    return timezone.now() + timedelta(seconds=seconds)


SWEEP = "sweep"


def record_sweep() -> None:
    """Record that the sweeper has just run."""
    Heartbeat.objects.update_or_create(name=SWEEP, defaults={"at": timezone.now()})


def last_sweep() -> datetime | None:
    """Return when the sweeper last ran, None if it never did."""
    return Heartbeat.objects.filter(name=SWEEP).values_list("at", flat=True).first()
