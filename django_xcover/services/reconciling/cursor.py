"""How far a pass has come: taken by one walker at a time, written after each page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from django_xcover.conf import get_config
from django_xcover.models import QuotePackage, Reconciliation
from django_xcover.models.leases import lapsed

Phase = Reconciliation.Phase


class UnderWay(Exception):
    """Somebody else is reconciling this account at the moment."""

    def __init__(self, account: str) -> None:
        super().__init__(f"Account {account!r} is being reconciled by another process.")


@dataclass
class Cursor:
    """The place of the pass in `row`, and what has been met in XCover's list."""

    row: Reconciliation

    @property
    def started_at(self) -> datetime:
        """Return when the pass began (aware)."""
        assert self.row.started_at is not None  # noqa: S101 - `take` and `Rehearsal` set it
        return self.row.started_at

    def go_on(self, **facts: Any) -> None:
        """Write where the pass is; raise UnderWay when another walker has taken it over."""
        facts |= {"lease_until": _lease(), "updated_at": timezone.now()}
        mine = Reconciliation.objects.filter(pk=self.row.pk, attempts=self.row.attempts)
        if not mine.update(**facts):
            raise UnderWay(self.row.account)
        for name, value in facts.items():
            setattr(self.row, name, value)

    def let_go(self, error: Exception | None = None) -> None:
        """Let the next walker in at once; `error` is what has stopped this one."""
        mine = Reconciliation.objects.filter(pk=self.row.pk, attempts=self.row.attempts)
        name = type(error).__name__ if error else ""
        failed = {"failed_at": timezone.now()} if error else {}
        mine.update(lease_until=None, error=name, **failed)

    def met(self, pks: Iterable[int]) -> None:
        """Note that XCover's list has shown these packages."""
        QuotePackage.objects.filter(pk__in=list(pks)).update(reconciled_at=self.started_at)

    def was_met(self, package: QuotePackage) -> bool:
        """Return whether XCover's list has shown `package` in this pass."""
        # Equal, and not later: a pass that began while the clock ran ahead has left later ones.
        return package.reconciled_at == self.started_at


@dataclass
class Rehearsal(Cursor):
    """A pass that writes nothing: it begins anew each time and remembers in memory."""

    seen: set[int] = field(default_factory=set)

    def go_on(self, **facts: Any) -> None:
        """Move on, in memory."""
        for name, value in facts.items():
            setattr(self.row, name, value)

    def let_go(self, error: Exception | None = None) -> None:
        """Do nothing: nobody was kept out."""

    def met(self, pks: Iterable[int]) -> None:
        """Remember that XCover's list has shown these packages."""
        self.seen.update(pks)

    def was_met(self, package: QuotePackage) -> bool:
        """Return whether XCover's list has shown `package` in this pass."""
        return package.pk in self.seen


def take(account: str, *, since: datetime | None) -> Cursor:
    """Return the pass of `account` that is under way, or a new one; raise UnderWay.

    A pass over what changed since another moment is another pass.
    """
    now = timezone.now()
    row, _ = Reconciliation.objects.get_or_create(account=account)
    free = Q(lease_until=None) | lapsed("lease_until", now)
    mine = Reconciliation.objects.filter(free, pk=row.pk, attempts=row.attempts)
    if not mine.update(attempts=row.attempts + 1, lease_until=_lease()):
        raise UnderWay(account)
    row.refresh_from_db()
    cursor = Cursor(row)
    if row.phase == Phase.DONE or row.since != since:
        cursor.go_on(**_beginning(since))
    return cursor


def rehearse(account: str, *, since: datetime | None) -> Cursor:
    """Return a pass that leaves no trace."""
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
