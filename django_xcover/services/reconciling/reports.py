"""What came of a walk: counts, and money per kind and currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django_xcover.client import XCoverError
from django_xcover.models import Discrepancy
from django_xcover.services.reconciling.comparing import Finding
from django_xcover.types import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """How many discrepancies of a kind there are in one currency, and the money at stake."""

    kind: Discrepancy.Kind
    count: int
    at_stake: Money


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
    found: dict[tuple[Discrepancy.Kind, str], list[Decimal]] = field(
        default_factory=lambda: defaultdict(list), repr=False
    )

    def add(self, findings: Iterable[Finding]) -> None:
        """Count what was found."""
        for finding in findings:
            self.found[finding.kind, finding.currency].append(finding.at_stake)

    def as_json(self) -> dict[str, Any]:
        """Return plain values; amounts are decimal text."""
        names = ("listed", "looked_at", "mended", "handed_over", "unreadable", "opened", "closed")
        return {
            "account": self.account,
            "finished": self.is_finished,
            "error": type(self.error).__name__ if self.error else None,
            **{name: getattr(self, name) for name in names},
            "discrepancies": [_plain(line) for line in self.lines],
        }


def lines_found(report: Report) -> list[Line]:
    """Return what this walk found, in the order of the kinds."""
    return _lines(report.found)


def lines_open(account: str) -> list[Line]:
    """Return what is open for `account`, whenever it was found. One query.

    Summed here, because SQLite would sum the amounts as floats.
    """
    sums: dict[tuple[Discrepancy.Kind, str], list[Decimal]] = defaultdict(list)
    rows = Discrepancy.objects.open().filter(account=account).order_by()
    for kind, currency, at_stake in rows.values_list("kind", "currency", "at_stake").iterator():
        sums[Discrepancy.Kind(kind), currency].append(at_stake)
    return _lines(sums)


def _lines(sums: Mapping[tuple[Discrepancy.Kind, str], Sequence[Decimal]]) -> list[Line]:
    order = list(Discrepancy.Kind)
    rows = sorted(sums.items(), key=lambda row: (order.index(row[0][0]), row[0][1]))
    return [
        Line(kind=kind, count=len(amounts), at_stake=Money(sum(amounts, Decimal(0)), currency))
        for (kind, currency), amounts in rows
    ]


def _plain(line: Line) -> dict[str, Any]:
    return {
        "kind": str(line.kind),
        "count": line.count,
        "currency": line.at_stake.currency,
        "at_stake": f"{line.at_stake.amount.normalize():f}",
    }
