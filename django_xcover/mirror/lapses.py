"""What a shopper is shown about a lapsed acceptance, until they answer again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.text import get_text_list
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from django_xcover.formats import format_amount
from django_xcover.models import Choice, Quote
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
