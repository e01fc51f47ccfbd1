"""How everything stands, in one look: for a command line, a monitor, a person at night."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from django_xcover.conf import get_config
from django_xcover.models import (
    AccountPause,
    Discrepancy,
    Operation,
    OperationState,
    QuotePackage,
    Reconciliation,
    WebhookDelivery,
)
from django_xcover.services import breaker, heartbeat


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """One account: `circuit` is the breaker's state, times are aware, None for never."""

    name: str
    circuit: str
    paused_since: datetime | None
    pause_reason: str
    reconciled_at: datetime | None
    reconciling: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Counts and times; `oldest_due` is since when the operation that waits longest has been due.

    `last_sweep` is None when there was none, or when the cache does not know of it.
    """

    operations: dict[str, int]
    oldest_due: datetime | None
    flagged_packages: int
    open_discrepancies: int
    failed_webhooks: int
    last_sweep: datetime | None
    accounts: tuple[AccountStatus, ...]

    @property
    def needs_person(self) -> int:
        """Return how many things nothing but a person can move."""
        stopped = self.operations[OperationState.NEEDS_PERSON.value]
        return stopped + self.flagged_packages + self.open_discrepancies + self.failed_webhooks


def status() -> Status:
    """Return how everything stands. Eight queries, no call to XCover."""
    failed = WebhookDelivery.objects.filter(state=WebhookDelivery.State.FAILED)
    return Status(
        operations=_operations(),
        oldest_due=_oldest_due(),
        flagged_packages=QuotePackage.objects.needing_attention().count(),
        open_discrepancies=Discrepancy.objects.open().count(),
        failed_webhooks=failed.count(),
        last_sweep=heartbeat.last_sweep(),
        accounts=_accounts(),
    )


def _operations() -> dict[str, int]:
    counted = Operation.objects.order_by().values_list("state").annotate(Count("pk"))
    return dict.fromkeys(OperationState.values, 0) | dict(counted)


def _oldest_due() -> datetime | None:
    now = timezone.now()
    pending = Operation.objects.filter(state=OperationState.PENDING, next_attempt_at__lte=now)
    orphaned = Operation.objects.filter(state=OperationState.RUNNING, lease_until__lt=now)
    dues = (
        pending.aggregate(due=Min("next_attempt_at"))["due"],
        orphaned.aggregate(due=Min("lease_until"))["due"],
    )
    return min((due for due in dues if due is not None), default=None)


def _accounts() -> tuple[AccountStatus, ...]:
    pauses = {row.account: row for row in AccountPause.objects.all()}
    passes = {row.account: row for row in Reconciliation.objects.all()}
    names = sorted({*get_config().accounts, *pauses})
    return tuple(_account(name, pauses.get(name), passes.get(name)) for name in names)


def _account(name: str, pause: AccountPause | None, walk: Reconciliation | None) -> AccountStatus:
    facts: dict[str, Any] = {
        "paused_since": pause.paused_at if pause else None,
        "pause_reason": pause.reason if pause else "",
        "reconciled_at": walk.finished_at if walk else None,
        "reconciling": walk is not None and walk.phase != Reconciliation.Phase.DONE,
    }
    return AccountStatus(name=name, circuit=str(breaker.state(name).circuit), **facts)
