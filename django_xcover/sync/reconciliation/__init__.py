"""Reconciliation: compare all of XCover's bookings with ours, including the amounts.

Safe repairs are automatic: outdated packages are read again, and operations that no worker took are
dispatched again. Everything else is listed for a person. Reconciliation is idempotent.
"""

from __future__ import annotations

import time
from datetime import datetime

from django.utils import timezone

from django_xcover.client import XCoverError
from django_xcover.clients import factory
from django_xcover.models import Operation
from django_xcover.outbox import lease, operations
from django_xcover.outbox.operations import OVERDUE
from django_xcover.sync.reconciliation.discrepancies import resolve, resolve_all
from django_xcover.sync.reconciliation.repair import Look
from django_xcover.sync.reconciliation.report import Line, Report, lines_found, lines_open
from django_xcover.sync.reconciliation.run import Progress, Walk, rehearse, take

__all__ = [
    "Line",
    "Progress",
    "ReconciliationUnderWay",
    "Report",
    "reconcile",
    "resolve",
    "resolve_all",
]

FOREVER = float("inf")


def reconcile(
    account: str,
    *,
    since: datetime | None = None,
    fix: bool = False,
    dry_run: bool = False,
    seconds: float = FOREVER,
    progress: Progress | None = None,
) -> Report:
    """Continue the pass over `account`, or begin one, for about `seconds`; return the report.

    `since` (aware) skips bookings that haven't changed on either side. `fix` makes the safe
    repairs; `dry_run` writes nothing and always starts over. `progress` is called with the number
    of XCover's bookings done in each step. If XCover can't be reached, the report has the error,
    and the next call continues from there. Raises ReconciliationUnderWay if another process is
    running it, and ImproperlyConfigured for an unknown account. Call it outside any transaction.
    """
    client = factory.client_for(account)
    cursor = rehearse(account, since=since) if dry_run else take(account, since=since)
    report = Report(account=account)
    stopped: Exception | None = None
    walk = Walk(
        client=client,
        cursor=cursor,
        look=Look(client, report, fix=fix and not dry_run, renew_lease=cursor.go_on),
        report=report,
        writes=not dry_run,
        until=time.monotonic() + seconds,
        progress=progress or (lambda steps: None),
    )
    try:
        report.handed_over = _dispatch(account, announce=walk.look.fix)
        walk.go()
    except XCoverError as problem:
        report.error = stopped = problem
    except Exception as problem:
        stopped = problem
        raise
    finally:
        cursor.let_go(stopped)
    report.lines = lines_found(report) if dry_run else lines_open(account)
    return report


def _dispatch(account: str, *, announce: bool) -> int:
    """Return the number of overdue operations; dispatch them again if `announce` is True."""
    due = Operation.objects.claimable(timezone.now() - OVERDUE).filter(package__account=account)
    due = due.order_by("next_attempt_at")[: lease.SWEEP_LIMIT]
    pks = list(due.values_list("pk", flat=True))
    for pk in pks if announce else ():
        operations.announce(pk)
    return len(pks)
