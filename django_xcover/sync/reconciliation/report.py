"""What came of a walk: counts, and money per kind and currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django_xcover.client import XCoverError
from django_xcover.exceptions import code_of
from django_xcover.models import Discrepancy, Status
from django_xcover.sync.reconciliation.diff import Finding
from django_xcover.types import Money

Kind = Discrepancy.Kind
# A status that differs names the money it is about, which is no difference between two amounts.
WITHOUT_DIFFERENCE = frozenset({Kind.STATUS_DIFFERS})

Amounts = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """How many discrepancies there are in one currency, and their money.

    `difference` is what XCover holds more than was paid for, negative for less.
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
    """What one walk did. `lines` are what is open after it, or what a dry run found.

    `listed` counts XCover's bookings and `looked_at` our own packages that its list did not show.
    `mended` counts mirrors brought up to XCover, `handed_over` operations that no worker had taken,
    and `unreadable` bookings that XCover could not show. `error` is why the walk ended early, None
    when it did not; `is_finished` says that the whole pass is done.
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
        """Count what was found."""
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
        """Return plain values; amounts are decimal text."""
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
    """Return what XCover holds more than was paid for; 0 where two amounts cannot be compared."""
    if _is_no_difference(row):
        return Decimal(0)
    return (row.theirs or Decimal(0)) - (row.ours or Decimal(0))


def _is_no_difference(row: Finding | Discrepancy) -> bool:
    in_two_currencies = row.kind == Kind.PRICE_DIFFERS and row.theirs is None
    # A booking that is unknown here and over is none that XCover holds in force.
    is_over = row.kind == Kind.UNKNOWN and row.there != Status.CONFIRMED
    return row.kind in WITHOUT_DIFFERENCE or in_two_currencies or is_over


def lines_found(report: Report) -> list[Line]:
    """Return what this walk found, in the order of the kinds."""
    return _lines(report.found)


def lines_open(account: str) -> list[Line]:
    """Return what is open for `account`, whenever it was found. One query.

    Summed here, because SQLite would sum the amounts as floats.
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
        "at_stake": f"{total.at_stake.amount.normalize():f}",
        "difference": f"{total.difference.amount.normalize():f}",
    }
