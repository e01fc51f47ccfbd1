"""A snapshot of all figures, for the command line, monitors and staff."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Min
from django.utils import timezone

from django_xcover.clients import circuit_breaker, rate_limits
from django_xcover.clients.cache import CacheScope, cache_scope
from django_xcover.clients.rate_limits import RateState
from django_xcover.conf import Config, get_config
from django_xcover.models import (
    AccountPause,
    Cancellation,
    Discrepancy,
    Operation,
    OperationState,
    QuotePackage,
    Reconciliation,
    WebhookDelivery,
)
from django_xcover.models.base import LONGEST_LEASE
from django_xcover.outbox import lease
from django_xcover.policies import instalments
from django_xcover.support.follow_ups import AWAITS_REFUND

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStatus:
    """One account. `circuit` is the breaker's state; times are aware, None if never.

    If the circuit isn't closed, `opened_at` and `open_until` are set; if it is, `faults` of the
    last `calls` failed. `rates` is empty for an account that is no longer in the settings.
    `reconciling` means that a process is running it now; `reconciliation_error` is the code of the
    error that ended the last attempt, "" if it didn't fail.
    """

    name: str
    circuit: str
    calls: int
    faults: int
    opened_at: datetime | None
    open_until: datetime | None
    rates: tuple[RateState, ...]
    paused_since: datetime | None
    pause_reason: str
    reconciled_at: datetime | None
    reconciling: bool
    reconciliation_started_at: datetime | None
    reconciliation_failed_at: datetime | None
    reconciliation_error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Counts and times. `oldest_due` is when the operation that waits longest became due.

    `without_worker` counts operations that could run but that no worker has taken for
    XCOVER["ALARM_OPERATION"] seconds, up to 500. `refunds_to_record` and `overdue_instalments` are
    the shop's daily work, not faults, so `needs_person` excludes them. `last_sweep` is None if
    there was none. `cache` says how widely processes share circuits and rates.
    """

    operations: dict[str, int]
    oldest_due: datetime | None
    without_worker: int
    flagged_packages: int
    open_discrepancies: int
    failed_webhooks: int
    refunds_to_record: int
    overdue_instalments: int
    last_sweep: datetime | None
    cache: CacheScope
    accounts: tuple[AccountStatus, ...]

    @property
    def needs_person(self) -> int:
        """Return the number of items that need a person."""
        stopped = self.operations[OperationState.NEEDS_PERSON.value]
        return stopped + self.flagged_packages + self.open_discrepancies + self.failed_webhooks


def status() -> Status:
    """Return the status. Fifteen queries, no call to XCover."""
    failed = WebhookDelivery.objects.filter(state=WebhookDelivery.State.FAILED)
    return Status(
        operations={state: _count_up_to_most(state) for state in OperationState.values},
        oldest_due=_oldest_due(),
        without_worker=_without_worker(),
        flagged_packages=QuotePackage.objects.needing_attention().count(),
        open_discrepancies=Discrepancy.objects.open().count(),
        failed_webhooks=failed.count(),
        refunds_to_record=Cancellation.objects.filter(AWAITS_REFUND).count(),
        overdue_instalments=instalments.overdue().count(),
        last_sweep=lease.last_sweep(),
        cache=cache_scope(),
        accounts=_accounts(),
    )


def _count_up_to_most(state: str) -> int:
    """Return the number of operations in `state`, at most MOST_COUNTED + 1.

    Completed operations are all that the shop ever sold: counting a million took 115 ms.
    """
    rows = Operation.objects.filter(state=state).order_by()
    return rows.values("pk")[: MOST_COUNTED + 1].count()


def count_text(count: int) -> str:
    """Return a count of operations as text, ">10000" above the bound."""
    return f">{MOST_COUNTED}" if count > MOST_COUNTED else str(count)


def _oldest_due() -> datetime | None:
    now = timezone.now()
    pending = Operation.objects.filter(state=OperationState.PENDING, next_attempt_at__lte=now)
    orphaned = Operation.objects.filter(state=OperationState.RUNNING, lease_until__lt=now)
    dues = (
        pending.aggregate(due=Min("next_attempt_at"))["due"],
        orphaned.aggregate(due=Min("lease_until"))["due"],
    )
    return min((due for due in dues if due is not None), default=None)


def _without_worker() -> int:
    waited = timedelta(seconds=get_config().alarm_operation)
    long_due = Operation.objects.claimable(timezone.now() - waited).order_by()
    return long_due.values("pk")[: lease.SWEEP_LIMIT].count()


def _accounts() -> tuple[AccountStatus, ...]:
    pauses = {row.account: row for row in AccountPause.objects.all()}
    passes = {row.account: row for row in Reconciliation.objects.all()}
    config = get_config()
    names = sorted({*config.accounts, *pauses})
    return tuple(_account(config, name, pauses.get(name), passes.get(name)) for name in names)


def _account(
    config: Config, name: str, pause: AccountPause | None, walk: Reconciliation | None
) -> AccountStatus:
    account = config.accounts.get(name)
    return AccountStatus(
        name=name,
        **_circuit(name),
        rates=rate_limits.states(account) if account else (),
        paused_since=pause.paused_at if pause else None,
        pause_reason=pause.reason if pause else "",
        reconciled_at=walk.finished_at if walk else None,
        reconciling=walk is not None and _is_under_way(walk),
        reconciliation_started_at=walk.started_at if walk else None,
        reconciliation_failed_at=walk.failed_at if walk else None,
        reconciliation_error=walk.error if walk else "",
    )


def _is_under_way(walk: Reconciliation) -> bool:
    """Return whether a process is running it; a failed or interrupted pass only waits."""
    lease, now = walk.lease_until, timezone.now()
    return lease is not None and now < lease <= now + LONGEST_LEASE


def _circuit(name: str) -> dict[str, Any]:
    now = circuit_breaker.state(name)
    counts: dict[str, Any] = {"calls": now.calls, "faults": now.faults}
    times = {"opened_at": now.opened_at, "open_until": now.open_until}
    return {"circuit": str(now.circuit)} | counts | times
