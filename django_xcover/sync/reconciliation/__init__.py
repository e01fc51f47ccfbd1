"""Reconciliation: all of XCover's bookings against all of ours, with the money that differs.

What is safe is mended: a mirror that lags behind is read again, an operation that no worker took is
handed over again. The rest is listed for a person. Running it twice comes to the same as once.
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
    """Go on with the pass over `account`, or begin one, for about `seconds`, and report.

    `since` (aware) passes over what has not changed on either side. `fix` mends what is safe;
    `dry_run` writes nothing at all, and always begins anew. `progress` is told how many of XCover's
    bookings were done. When XCover cannot be asked, the report says so and the next call goes on
    from there. Raises ReconciliationUnderWay while another process is at it, ImproperlyConfigured
    for an unknown account. Call it outside any transaction.
    """
    client = factory.client_for(account)
    cursor = rehearse(account, since=since) if dry_run else take(account, since=since)
    report = Report(account=account)
    stopped: Exception | None = None
    walk = Walk(
        client=client,
        cursor=cursor,
        look=Look(client, report, fix=fix and not dry_run, tell=cursor.go_on),
        report=report,
        writes=not dry_run,
        until=time.monotonic() + seconds,
        progress=progress or (lambda steps: None),
    )
    try:
        report.handed_over = _hand_over(account, announce=walk.look.fix)
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


def _hand_over(account: str, *, announce: bool) -> int:
    """Count the operations that no worker has taken for long, and hand them over if allowed."""
    due = Operation.objects.claimable(timezone.now() - OVERDUE).filter(package__account=account)
    due = due.order_by("next_attempt_at")[: lease.SWEEP_LIMIT]
    pks = list(due.values_list("pk", flat=True))
    for pk in pks if announce else ():
        operations.announce(pk)
    return len(pks)
