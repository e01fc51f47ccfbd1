"""What a shopper is shown about an accepted quote that lapsed, or that isn't offered any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.utils.text import get_text_list
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_xcover.formats import format_amount
from django_xcover.models import Choice, Quote, QuotePackage
from django_xcover.types import Money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


# The terms of `mirror.agreement`, as they read mid-sentence. A price has a sentence of its own.
TERMS: Mapping[str, StrOrPromise] = {
    "plan": pgettext_lazy("has changed", "payment in parts"),
    "cover_amount": pgettext_lazy("has changed", "cover amount"),
    "insured": pgettext_lazy("has changed", "what is insured"),
    "period": pgettext_lazy("has changed", "period of cover"),
    "benefits": pgettext_lazy("has changed", "what is covered"),
    "insurer": pgettext_lazy("has changed", "insurer"),
    "name": pgettext_lazy("has changed", "name of the policy"),
    "wording": pgettext_lazy("has changed", "wording"),
    "documents": pgettext_lazy("has changed", "policy documents"),
}

# Kept among the names of the terms: the acceptance was for an order, which the cart outlived.
ORDERED, ORDER_CANCELLED = "ordered", "order_cancelled"
ORDERS: Mapping[str, StrOrPromise] = {
    ORDERED: _(
        "You chose this cover for an earlier order. "
        "If you would like it for this order too, please choose again."
    ),
    ORDER_CANCELLED: _(
        "You chose this cover for an earlier order, and it was cancelled. "
        "If you would like it for this order, please choose again."
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lapse:
    """A lapsed acceptance: `was` is the price then accepted, `now` the price of the current offer.

    `changed` names the terms that differ, as in `mirror.agreement.terms`. It is empty when the same
    cover is offered again. `order` is "ordered" or "order_cancelled" when the acceptance was for an
    earlier order, else "".
    """

    was: Money
    now: Money
    changed: tuple[str, ...]
    order: str = ""

    @property
    def message(self) -> str:
        """Return what changed, as a sentence for the shopper."""
        if self.order:
            return str(ORDERS[self.order])
        terms = [TERMS[name] for name in self.changed if name in TERMS]
        facts = {
            "was": format_amount(self.was),
            "now": format_amount(self.now),
            "terms": get_text_list(terms, str(_("and"))),
        }
        if self.was != self.now and terms:
            sentence = _(
                "This cover was %(was)s, is now %(now)s, and this has changed: %(terms)s. "
                "Please choose again."
            )
        elif self.was != self.now:
            sentence = _("This cover was %(was)s, is now %(now)s: please choose again.")
        elif terms:
            sentence = _("This has changed since you chose: %(terms)s. Please choose again.")
        else:
            sentence = _("Your earlier yes does not count for this offer. Please choose again.")
        return str(sentence) % facts


def agreed(quote: Quote) -> Money:
    """Return the price at which `quote` was answered, by default its price now."""
    price = quote.price if quote.chosen_price is None else quote.chosen_price
    return Money(price, quote.package.currency)


def agreed_before(quote: Quote) -> Money | None:
    """Return the price at which `quote` was accepted; None if it was not, or was declined since."""
    if quote.choice in {Choice.ACCEPTED, Choice.WITHDRAWN}:
        return agreed(quote)
    if not quote.choice and quote.lapsed_price is not None:
        return Money(quote.lapsed_price, quote.lapsed_currency)
    return None


def lapse_of(quote: Quote) -> Lapse | None:
    """Return the lapsed acceptance of `quote`, None if there is none or it was answered again."""
    if quote.choice or quote.lapsed_price is None:
        return None
    names = [name for name in quote.lapsed_terms.split(",") if name]
    return Lapse(
        was=Money(quote.lapsed_price, quote.lapsed_currency),
        now=quote.cost,
        changed=tuple(name for name in names if name not in ORDERS),
        order=next((name for name in names if name in ORDERS), ""),
    )


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


def read_lost(package: QuotePackage) -> tuple[LostCover, ...]:
    """Return what is on record as lost for `package`, in the order in which it was lost."""
    return tuple(_from_json(entry) for entry in package.lost_cover)


def find_lost(
    package: QuotePackage,
    quotes: Iterable[Quote],
    *,
    offered: Collection[str],
    asked: Collection[str],
) -> list[LostCover]:
    """Return what of `package` and its `quotes` is lost in an offer of the lines `offered`.

    `asked` are the lines that the shop asks for. What an order has is not lost, unless that order
    was cancelled before it was booked and the shop asks for the line again. A line may have several
    quotes, because a changed line is quoted again: an answer to a later one counts.
    """
    quotes = list(quotes)
    if package.order_reference:
        quotes = [q for q in quotes if q.choice == Choice.WITHDRAWN and q.line_reference in asked]
    known = [] if package.order_reference else read_lost(package)
    found = {lost.line: (lost.label, lost.was) for lost in known}
    for quote in sorted(quotes, key=lambda one: one.pk or 0):
        if was := agreed_before(quote):
            found[quote.line_reference] = quote.label, was
        elif quote.choice == Choice.DECLINED:
            found.pop(quote.line_reference, None)
    return [
        LostCover(line=line, label=label, was=was, is_asked=line in asked)
        for line, (label, was) in found.items()
        if line not in offered
    ]


def write_lost(package: QuotePackage, lost: Sequence[LostCover]) -> None:
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
