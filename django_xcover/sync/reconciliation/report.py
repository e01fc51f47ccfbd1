"""The report of a run: counts, and amounts by kind and currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django_xcover.client import XCoverError
from django_xcover.exceptions import code_of
from django_xcover.formats import plain_amount
from django_xcover.models import Discrepancy, Status
from django_xcover.sync.reconciliation.diff import Finding
from django_xcover.types import Money

Kind = Discrepancy.Kind
# The amounts of these kinds are what is at stake, not two amounts that differ.
WITHOUT_DIFFERENCE = frozenset({Kind.STATUS_DIFFERS})

Amounts = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """The number of discrepancies in one currency, and their amounts.

    `difference` is how much more XCover holds than was paid for; negative if less.
    """

    count: int
    at_stake: Money
    difference: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Line(Total):
    """The total of one kind."""

    kind: Discrepancy.Kind


@dataclass(kw_only=True)
class Report:
    """The result of one run. `lines` are the open discrepancies, or the findings of a dry run.

    `listed` counts XCover's bookings, and `looked_at` our packages missing from its list. `mended`
    counts packages updated from XCover, `handed_over` operations dispatched again, and `unreadable`
    bookings that XCover couldn't show. `error` is why the run ended early, else None.
    `is_finished` means that the whole pass is done.
    """

    account: str
    listed: int = 0
    looked_at: int = 0
    mended: int = 0
    handed_over: int = 0
    unreadable: int = 0
    opened: int = 0
    closed: int = 0
    is_finished: bool = False
    error: XCoverError | None = None
    lines: list[Line] = field(default_factory=list)
    found: dict[tuple[Discrepancy.Kind, str], list[Amounts]] = field(
        default_factory=lambda: defaultdict(list), repr=False
    )

    def add(self, findings: Iterable[Finding]) -> None:
        """Add the findings."""
        for finding in findings:
            self.found[finding.kind, finding.currency].append(_amounts(finding))

    @property
    def totals(self) -> list[Total]:
        """Return the sum of all kinds for each currency."""
        sums: dict[str, list[Line]] = defaultdict(list)
        for line in self.lines:
            sums[line.at_stake.currency].append(line)
        return [_total(currency, lines) for currency, lines in sorted(sums.items())]

    def as_json(self) -> dict[str, Any]:
        """Return values for JSON; amounts are decimal strings."""
        names = ("listed", "looked_at", "mended", "handed_over", "unreadable", "opened", "closed")
        return {
            "account": self.account,
            "finished": self.is_finished,
            "error": code_of(self.error) if self.error else None,
            **{name: getattr(self, name) for name in names},
            "discrepancies": [{"kind": str(line.kind), **_plain(line)} for line in self.lines],
            "totals": [_plain(total) for total in self.totals],
        }


def difference(row: Finding | Discrepancy) -> Decimal:
    """Return how much more XCover holds than was paid for; 0 if it can't be compared."""
    if _is_no_difference(row):
        return Decimal(0)
    return (row.theirs or Decimal(0)) - (row.ours or Decimal(0))


def _is_no_difference(row: Finding | Discrepancy) -> bool:
    in_two_currencies = row.kind == Kind.PRICE_DIFFERS and row.theirs is None
    # An unknown booking that has ended isn't in force.
    is_over = row.kind == Kind.UNKNOWN and row.there != Status.CONFIRMED
    return row.kind in WITHOUT_DIFFERENCE or in_two_currencies or is_over


def lines_found(report: Report) -> list[Line]:
    """Return the findings of this run, ordered by kind."""
    return _lines(report.found)


def lines_open(account: str) -> list[Line]:
    """Return the open discrepancies of `account`, whenever they were found. One query.

    Summed in Python, because SQLite would sum the amounts as floats.
    """
    sums: dict[tuple[Discrepancy.Kind, str], list[Amounts]] = defaultdict(list)
    rows = Discrepancy.objects.open().filter(account=account).order_by()
    for row in rows.only("kind", "currency", "ours", "theirs", "at_stake").iterator():
        sums[Discrepancy.Kind(row.kind), row.currency].append(_amounts(row))
    return _lines(sums)


def _amounts(row: Finding | Discrepancy) -> Amounts:
    return row.at_stake, difference(row)


def _lines(sums: Mapping[tuple[Discrepancy.Kind, str], Sequence[Amounts]]) -> list[Line]:
    order = list(Discrepancy.Kind)
    rows = sorted(sums.items(), key=lambda row: (order.index(row[0][0]), row[0][1]))
    return [_line(kind, currency, amounts) for (kind, currency), amounts in rows]


def _line(kind: Discrepancy.Kind, currency: str, amounts: Sequence[Amounts]) -> Line:
    return Line(
        kind=kind,
        count=len(amounts),
        at_stake=Money(sum((at_stake for at_stake, _ in amounts), Decimal(0)), currency),
        difference=Money(sum((differs for _, differs in amounts), Decimal(0)), currency),
    )


def _total(currency: str, lines: Sequence[Line]) -> Total:
    return Total(
        count=sum(line.count for line in lines),
        at_stake=Money(sum((line.at_stake.amount for line in lines), Decimal(0)), currency),
        difference=Money(sum((line.difference.amount for line in lines), Decimal(0)), currency),
    )


def _plain(total: Total) -> dict[str, Any]:
    return {
        "count": total.count,
        "currency": total.at_stake.currency,
        "at_stake": plain_amount(total.at_stake),
        "difference": plain_amount(total.difference),
    }
