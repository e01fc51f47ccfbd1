"""Run a pass: XCover's list, then our packages missing from it, then open discrepancies."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from operator import itemgetter
from typing import Any

from django.db.models import Q
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.client import UnexpectedAnswer, XCoverClient, XCoverError
from django_xcover.client.responses import Response
from django_xcover.client.schemas.packages import PackageAnswer, booking_from_wire
from django_xcover.conf import get_config
from django_xcover.exceptions import ReconciliationUnderWay, code_of
from django_xcover.models import BOOKED, Discrepancy, OperationState, QuotePackage, Reconciliation
from django_xcover.models.base import lapsed
from django_xcover.models.package import PROVISIONAL
from django_xcover.sync.reconciliation import diff, discrepancies
from django_xcover.sync.reconciliation.diff import Finding, Ours
from django_xcover.sync.reconciliation.local_state import not_listed, read_ours
from django_xcover.sync.reconciliation.repair import Look
from django_xcover.sync.reconciliation.report import Report

Phase = Reconciliation.Phase


@dataclass
class Cursor:
    """The position of the pass, stored in `row`, and the packages seen in XCover's list."""

    row: Reconciliation

    @property
    def started_at(self) -> datetime:
        """Return when the pass began (aware)."""
        assert self.row.started_at is not None  # noqa: S101 - `take` and `Rehearsal` set it
        return self.row.started_at

    def go_on(self, **columns: Any) -> None:
        """Store the position; raise ReconciliationUnderWay if another process has the pass."""
        columns |= {"lease_until": _lease(), "updated_at": timezone.now()}
        mine = Reconciliation.objects.filter(pk=self.row.pk, attempts=self.row.attempts)
        if not mine.update(**columns):
            raise ReconciliationUnderWay(self.row.account)
        for name, value in columns.items():
            setattr(self.row, name, value)

    def let_go(self, error: Exception | None = None) -> None:
        """Release the lease; `error` is what stopped this run."""
        mine = Reconciliation.objects.filter(pk=self.row.pk, attempts=self.row.attempts)
        name = code_of(error) if error else ""
        failed = {"failed_at": timezone.now()} if error else {}
        mine.update(lease_until=None, error=name, **failed)

    def met(self, pks: Iterable[int]) -> None:
        """Record that these packages are in XCover's list."""
        QuotePackage.objects.filter(pk__in=list(pks)).update(reconciled_at=self.started_at)

    def was_met(self, package: QuotePackage) -> bool:
        """Return whether `package` was in XCover's list in this pass."""
        # Equal, not later: an earlier pass with a fast clock may have left later times.
        return package.reconciled_at == self.started_at


@dataclass
class Rehearsal(Cursor):
    """A pass that writes nothing: it always starts over and keeps its state in memory."""

    seen: set[int] = field(default_factory=set)

    def go_on(self, **columns: Any) -> None:
        """Move on, in memory."""
        for name, value in columns.items():
            setattr(self.row, name, value)

    def let_go(self, error: Exception | None = None) -> None:
        """Do nothing, because there is no lease."""

    def met(self, pks: Iterable[int]) -> None:
        """Remember that these packages are in XCover's list."""
        self.seen.update(pks)

    def was_met(self, package: QuotePackage) -> bool:
        """Return whether `package` was in XCover's list in this pass."""
        return package.pk in self.seen


def take(account: str, *, since: datetime | None) -> Cursor:
    """Return the unfinished pass of `account`, or a new one; raise ReconciliationUnderWay.

    A different `since` starts a new pass.
    """
    now = timezone.now()
    row, _ = Reconciliation.objects.get_or_create(account=account)
    free = Q(lease_until=None) | lapsed("lease_until", now)
    mine = Reconciliation.objects.filter(free, pk=row.pk, attempts=row.attempts)
    if not mine.update(attempts=row.attempts + 1, lease_until=_lease()):
        raise ReconciliationUnderWay(account)
    row.refresh_from_db()
    cursor = Cursor(row)
    if row.phase == Phase.DONE or row.since != since:
        cursor.go_on(**_beginning(since))
    return cursor


def rehearse(account: str, *, since: datetime | None) -> Cursor:
    """Return a pass that writes nothing."""
    return Rehearsal(Reconciliation(account=account, **_beginning(since)))


def _beginning(since: datetime | None) -> dict[str, Any]:
    return {
        "phase": Phase.THEIRS,
        "offset": 0,
        "last_pk": 0,
        "since": since,
        "started_at": timezone.now(),
    }


def _lease() -> datetime:
    return timezone.now() + timedelta(seconds=get_config().operation_lease)


logger = safe_logging.get_logger("django_xcover.reconciliation")

PAGE = 100
# Our packages are read in slices of this size; most of them were in XCover's list.
SLICE = 500

UNDER_WAY = (OperationState.PENDING, OperationState.RUNNING)

Progress = Callable[[int], None]
LookedAt = dict[str, Sequence[Finding]]


@dataclass
class Walk:
    """One run. `writes` is False for a dry run; it ends after the page at which time is up."""

    client: XCoverClient
    cursor: Cursor
    look: Look
    report: Report
    writes: bool
    until: float = float("inf")
    progress: Progress = field(default=lambda steps: None)

    def go(self) -> None:
        """Continue until the pass is finished or time is up, for at least one page.

        Raises XCoverError and ReconciliationUnderWay.
        """
        phases: Mapping[str, Callable[[], None]] = {
            Phase.THEIRS: self._theirs,
            Phase.OURS: self._ours,
            Phase.OPEN: self._open,
        }
        while self.cursor.row.phase != Phase.DONE:
            phases[self.cursor.row.phase]()
            if self._time_is_up():
                break
        self.report.is_finished = self.cursor.row.phase == Phase.DONE

    def _theirs(self) -> None:
        """Read XCover's whole list, because its order isn't guaranteed (recorded contract, 4.5)."""
        row = self.cursor.row
        listed = self.client.list_bookings(page_size=PAGE, offset=row.offset)
        while page := list(islice(listed, PAGE)):
            self._page(page)
            self.cursor.go_on(offset=row.offset + len(page))
            self.report.listed += len(page)
            self.progress(len(page))
            if self._time_is_up():
                return
        self.cursor.go_on(phase=Phase.OURS, last_pk=0)

    def _ours(self) -> None:
        row = self.cursor.row
        mine = QuotePackage.objects.filter(account=row.account, pk__gt=row.last_pk).order_by("pk")
        pks = list(mine.values_list("pk", flat=True)[:SLICE])
        if not pks:
            self.cursor.go_on(phase=Phase.OPEN, last_pk=0)
            return
        some = mine.filter(pk__lte=pks[-1])
        rows = not_listed(some, before=self.cursor.started_at, since=row.since)
        for ours in filter(self._is_doubtful, read_ours(rows)):
            # Recorded one by one: if a call stops the run, the others aren't lost.
            self._record({ours.package.package_id: self.look.at(ours)})
            self.report.looked_at += 1
            self.cursor.go_on(last_pk=ours.package.pk)
            if self._time_is_up():
                return
        self.cursor.go_on(last_pk=pks[-1])

    def _open(self) -> None:
        """Check again the discrepancies of earlier passes that this pass didn't come across."""
        row = self.cursor.row
        rows = Discrepancy.objects.exclude(state=Discrepancy.State.GONE).order_by("pk")
        rows = rows.filter(account=row.account, pk__gt=row.last_pk)
        missed = list(rows.filter(last_seen_at__lt=self.cursor.started_at)[:PAGE])
        if not missed or not self.writes:
            self.cursor.go_on(phase=Phase.DONE, finished_at=timezone.now())
            return
        last = {row.package_id: row.pk for row in reversed(missed)}
        mine = {ours.package.package_id: ours for ours in self._known(last)}
        for package_id, pk in sorted(last.items(), key=itemgetter(1)):
            self._record({package_id: self._again(package_id, mine.get(package_id))})
            self.cursor.go_on(last_pk=pk)
            if self._time_is_up():
                return
        self.cursor.go_on(last_pk=missed[-1].pk)

    def _page(self, page: Sequence[Response]) -> None:
        theirs = {answer.package_id: answer for answer in self._readable(page)}
        mine = {ours.package.package_id: ours for ours in self._known(theirs)}
        looked_at: dict[str, list[Finding] | None] = {}
        done = self._looked_at_before(mine)
        try:
            for package_id, ours in mine.items():
                if package_id not in done and self._has_changed(theirs[package_id], ours):
                    looked_at[package_id] = self.look.at(ours, theirs[package_id])
        except XCoverError:
            self._record(looked_at)
            raise
        strange = [answer for key, answer in theirs.items() if key not in mine]
        looked_at |= self._strange(strange)
        self.cursor.met(ours.package.pk for ours in mine.values())
        self._record(looked_at)

    def _looked_at_before(self, ids: Iterable[str]) -> set[str]:
        """Return the packages recorded in this pass before it stopped in the middle of the page."""
        rows = Discrepancy.objects.filter(account=self.cursor.row.account, package_id__in=list(ids))
        rows = rows.filter(last_seen_at__gte=self.cursor.started_at)
        return set(rows.values_list("package_id", flat=True)) if self.writes else set()

    def _readable(self, page: Sequence[Response]) -> Iterator[PackageAnswer]:
        for wire in page:
            try:
                yield booking_from_wire(wire)
            except UnexpectedAnswer as error:
                logger.warning("A booking in XCover's list cannot be read: %s", error)
                self.report.unreadable += 1

    def _known(self, ids: Iterator[str] | set[str] | Mapping[str, object]) -> list[Ours]:
        account = self.cursor.row.account
        rows = QuotePackage.objects.filter(package_id__in=list(ids), account=account)
        return read_ours(rows)

    def _strange(self, answers: Sequence[PackageAnswer]) -> dict[str, list[Finding] | None]:
        """Return the findings for bookings that this account has no package for."""
        answers = [answer for answer in answers if self._has_changed(answer)]
        if not answers:
            return {}
        elsewhere, on_their_way = self._others(answers)
        return {
            answer.package_id: [] if answer.package_id in elsewhere else [diff.unknown(answer)]
            for answer in answers
            if answer.partner_transaction_id not in on_their_way
        }

    def _others(self, answers: Sequence[PackageAnswer]) -> tuple[set[str], set[str]]:
        """Return the ids known to other accounts, and the orders whose booking has no id yet."""
        ids = [answer.package_id for answer in answers]
        orders = [answer.partner_transaction_id or "" for answer in answers]
        rows = QuotePackage.objects.exclude(account=self.cursor.row.account)
        elsewhere = rows.filter(package_id__in=ids).values_list("package_id", flat=True)
        mine = QuotePackage.objects.filter(account=self.cursor.row.account)
        instant = mine.filter(order_reference__in=orders, package_id__startswith=PROVISIONAL)
        # One that needs a person may be this very booking, and must be listed.
        instant = instant.filter(operations__state__in=UNDER_WAY)
        return set(elsewhere), set(instant.values_list("order_reference", flat=True))

    def _again(self, package_id: str, ours: Ours | None) -> list[Finding] | None:
        return self.look.at(ours) if ours else self.look.at_unknown(package_id)

    def _is_doubtful(self, ours: Ours) -> bool:
        """Return whether XCover's list should have contained this package."""
        booked = ours.package.status in BOOKED
        return (booked or bool(ours.is_paid)) and not self.cursor.was_met(ours.package)

    def _has_changed(self, theirs: PackageAnswer, ours: Ours | None = None) -> bool:
        since: datetime | None = self.cursor.row.since
        if since is None or (ours and ours.changed_at and ours.changed_at >= since):
            return True
        changed = theirs.updated_at or theirs.created_at
        return changed is None or changed >= since

    def _record(self, looked_at: Mapping[str, Sequence[Finding] | None]) -> None:
        known: LookedAt = {key: rows for key, rows in looked_at.items() if rows is not None}
        for findings in known.values():
            self.report.add(findings)
        if self.writes and known:
            opened, closed = discrepancies.record(self.cursor.row.account, known)
            self.report.opened += opened
            self.report.closed += closed

    def _time_is_up(self) -> bool:
        return time.monotonic() >= self.until
