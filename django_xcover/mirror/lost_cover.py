"""Accepted cover that is not offered any more, and what the shopper is shown about it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_xcover.formats import format_amount
from django_xcover.mirror.lapses import agreed_before
from django_xcover.models import Choice, Quote, QuotePackage
from django_xcover.types import Money

NO_LABEL = pgettext_lazy("cover for", "your order")


@dataclass(frozen=True, slots=True, kw_only=True)
class LostCover:
    """Cover that the shopper accepted at the price `was`, for the cart line `line`.

    `is_asked` says that the shop still asks for it, so that XCover is who leaves it out. Otherwise
    the line has left the cart, or the shop has stopped insuring it: the two can't be told apart.
    """

    line: str
    label: str
    was: Money
    is_asked: bool

    @property
    def message(self) -> str:
        """Return what happened, as a sentence for the shopper."""
        sentence = (
            _(
                "Cover for %(label)s is no longer available. "
                "Your earlier choice (%(was)s) was removed."
            )
            if self.is_asked
            else _("Your cover for %(label)s (%(was)s) was removed because your order has changed.")
        )
        return str(sentence) % {"label": self.label or NO_LABEL, "was": format_amount(self.was)}


def read(package: QuotePackage) -> tuple[LostCover, ...]:
    """Return what is on record as lost for `package`, in the order in which it was lost."""
    return tuple(_from_json(entry) for entry in package.lost_cover)


def find(
    package: QuotePackage,
    quotes: Iterable[Quote],
    *,
    offered: Collection[str],
    asked: Collection[str],
) -> list[LostCover]:
    """Return what of `package` and its `quotes` is lost in an offer of the lines `offered`.

    `asked` are the lines that the shop asks for. What an order has is not lost, unless that order
    was cancelled before it was booked and the shop asks for the line again.
    """
    quotes = list(quotes)
    if package.order_reference:
        quotes = [q for q in quotes if q.choice == Choice.WITHDRAWN and q.line_reference in asked]
    known = [] if package.order_reference else read(package)
    found = {lost.line: (lost.label, lost.was) for lost in known}
    for quote in quotes:
        if was := agreed_before(quote):
            found[quote.line_reference] = quote.label, was
    return [
        LostCover(line=line, label=label, was=was, is_asked=line in asked)
        for line, (label, was) in found.items()
        if line not in offered
    ]


def write(package: QuotePackage, lost: Sequence[LostCover]) -> None:
    """Put `lost` on record in `package`. Does not save."""
    package.lost_cover = [
        {
            "line": one.line,
            "label": one.label,
            "amount": f"{one.was.amount:f}",
            "currency": one.was.currency,
            "is_asked": one.is_asked,
        }
        for one in lost
    ]


def _from_json(entry: dict[str, Any]) -> LostCover:
    was = Money(Decimal(entry["amount"]), entry["currency"])
    return LostCover(line=entry["line"], label=entry["label"], was=was, is_asked=entry["is_asked"])
