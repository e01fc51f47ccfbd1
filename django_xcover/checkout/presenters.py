"""The template context of an offer: its quotes, their hashes, errors and totals."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from django_xcover import payments
from django_xcover.checkout.forms import PLEASE_CHOOSE
from django_xcover.checkout.redirects import safe_next
from django_xcover.conf import get_config
from django_xcover.formats import format_amount, plain_amount
from django_xcover.mirror.presentation import Benefit, Offer, OfferedQuote, offer_hash
from django_xcover.offers import after_sale_links
from django_xcover.offers.after_sale import LateOffer
from django_xcover.offers.words import EVERY_TYPE, Words, fingerprint, words_for
from django_xcover.types import Money

# Stored with each answer as evidence of what was shown. Increase it whenever a template or text of
# the offer changes.
TEMPLATE_VERSION = "10"

# The number of benefits on the card: the price and both answers stay in view on a phone.
HIGHLIGHTS = 3

# Milliseconds that the script waits beyond XCOVER["OFFER_DEADLINE"], for the network round trip.
NETWORK_ALLOWANCE = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One offered quote as `xcover/_quote.html` shows it.

    `offer_hash` is posted with the answer, so that a yes never applies to a price or wording that
    another tab has replaced meanwhile.
    """

    quote: OfferedQuote
    offer_hash: str
    error: str
    words: Words

    @property
    def headline(self) -> SafeString:
        """Return the question with the price, as HTML."""
        return self.words.headline(self.quote.label, self.quote.price_formatted)

    @property
    def yes(self) -> SafeString:
        """Return the words of a yes with the price, as HTML."""
        return self.words.yes_with(self.quote.price_formatted)

    @property
    def status(self) -> str:
        """Return the message for the stored answer, or "" without an answer."""
        return self.words.saved(self.quote.choice)

    @property
    def highlights(self) -> tuple[Benefit, ...]:
        """Return the benefits that are listed on the card itself; the details have all of them."""
        return self.quote.benefits[:HIGHLIGHTS]

    @property
    def has_details(self) -> bool:
        """Return whether there is more to say than the card does."""
        quote = self.quote
        return bool(
            quote.benefits
            or quote.description
            or quote.disclaimer
            or quote.cover_amount_formatted
            or quote.ends
        )

    @property
    def has_limits(self) -> bool:
        """Return whether any benefit has a limit."""
        return any(benefit.limit for benefit in self.quote.benefits)

    @property
    def has_excesses(self) -> bool:
        """Return whether any benefit has an excess."""
        return any(benefit.excess for benefit in self.quote.benefits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Several quotes on one card: one line each, with one answer to all or one each."""

    panels: tuple[Panel, ...]
    price_formatted: str
    error: str

    @property
    def choice(self) -> str:
        """Return the answer that all quotes have, or ""."""
        answers = {panel.quote.choice for panel in self.panels}
        return answers.pop() if len(answers) == 1 else ""

    @property
    def words(self) -> Words:
        """Return the words of the policy type, if all quotes have the same."""
        return common_words(panel.quote for panel in self.panels)

    @property
    def full_refund(self) -> str:
        """Return the sentence on the full refund if it is true of all quotes, else ""."""
        sentences = {panel.words.full_refund for panel in self.panels}
        return sentences.pop() if len(sentences) == 1 else ""

    @property
    def yes(self) -> SafeString:
        """Return the words of a yes to all quotes with their price, as HTML."""
        return self.words.yes_with(self.price_formatted)

    @property
    def status(self) -> str:
        """Return the message for the same stored answer to all quotes, or ""."""
        return self.words.saved(self.choice)

    @property
    def insurer(self) -> str:
        """Return the insurer of all quotes, or "" if there are several."""
        insurers = {panel.quote.insurer for panel in self.panels}
        return insurers.pop() if len(insurers) == 1 else ""

    @property
    def is_open(self) -> bool:
        """Return whether the items are shown at once: one differs, or has something to say."""
        return any(
            panel.error or panel.quote.lapse or panel.quote.plan for panel in self.panels
        ) or (len({panel.quote.choice for panel in self.panels}) > 1)


def offer_context(
    request: HttpRequest,
    offer: Offer | None,
    *,
    error: str = "",
    quote_id: str = "",
    ask: bool = False,
) -> dict[str, Any]:
    """Return the context of `xcover/offer.html`.

    `error` appears at the quote `quote_id`, or above all quotes if that one isn't offered. `ask`
    adds "Please choose yes or no." to each unanswered quote.
    """
    quotes = offer.quotes if offer else ()
    is_bundle = len(quotes) > 1
    unanswered = ask and not any(quote.choice for quote in quotes)
    panels = tuple(
        _panel(quote, error, quote_id, ask=ask and not (is_bundle and unanswered))
        for quote in quotes
    )
    return {
        "offer": offer,
        "panels": panels,
        "bundle": _bundle(panels, ask=unanswered) if is_bundle else None,
        "look": get_config().offer_look,
        "totals": totals(offer) if offer else {},
        "error": "" if any(panel.quote.quote_id == quote_id for panel in panels) else error,
        "next": safe_next(request),
        "timeout": script_timeout(),
    }


def after_sale_context(
    request: HttpRequest, order_reference: str, late: LateOffer | None, *, error: str = ""
) -> dict[str, Any]:
    """Return the context of `xcover/_after_sale.html`, with `error` above the offer."""
    quotes = late.offer.quotes if late else ()
    panels = tuple(_panel(quote, "", "", ask=False) for quote in quotes)
    premium = late.premium if late else None
    due = payments.of_after_sale(late.row) if late else None
    return {
        "late": late,
        "panels": panels,
        "bundle": _bundle(panels, ask=False) if len(panels) > 1 else None,
        "words": common_words(quotes),
        "price_formatted": format_amount(premium) if premium else "",
        "payment_url": payments.payment_url(request, due),
        "look": get_config().offer_look,
        "action": after_sale_links.path(order_reference),
        "error": error,
        "next": safe_next(request),
    }


def saved_sentence(answered: Sequence[OfferedQuote]) -> str:
    """Return the shopper's message for the stored answer to the quotes, or ""."""
    return common_words(answered).saved(answered[0].choice)


def common_words(quotes: Iterable[OfferedQuote]) -> Words:
    """Return the words of the policy type of all `quotes`, or those for any type."""
    types = {quote.policy_type for quote in quotes}
    return words_for(types.pop() if len(types) == 1 else EVERY_TYPE)


def price_sentence(premium: Money) -> str:
    """Return what a product's page says about its cover, which is chosen only at the checkout."""
    return gettext("Add cover from %(price)s at the checkout.") % {"price": format_amount(premium)}


def template_version(*, by_element: bool = False) -> str:
    """Return what identifies the template and the words, for the record of the answer.

    `by_element` means that XCover's element showed the offer, in its own words.
    """
    words = "element" if by_element else fingerprint()
    return "-".join(part for part in (TEMPLATE_VERSION, words) if part)


def totals(offer: Offer) -> dict[str, Any]:
    """Return the current cost of the cover; `premium` is a decimal string."""
    return {
        # Strips the zeros that the database column adds.
        "premium": plain_amount(offer.premium),
        "currency": offer.currency,
        "premiumFormatted": format_amount(offer.premium),
        "answered": offer.is_answered,
    }


def script_timeout() -> int:
    """Return how many milliseconds the script waits for a response."""
    return int(get_config().offer_deadline * 1000) + NETWORK_ALLOWANCE


def _panel(quote: OfferedQuote, error: str, quote_id: str, *, ask: bool) -> Panel:
    question = str(PLEASE_CHOOSE) if ask and not quote.choice else ""
    own_error = error if quote.quote_id == quote_id else question
    return Panel(
        quote=quote,
        offer_hash=offer_hash(quote),
        error=own_error,
        words=words_for(quote.policy_type),
    )


def _bundle(panels: tuple[Panel, ...], *, ask: bool) -> Bundle:
    prices = [panel.quote.price for panel in panels]
    total = sum(prices[1:], prices[0])
    question = str(PLEASE_CHOOSE) if ask else ""
    return Bundle(panels=panels, price_formatted=format_amount(total), error=question)
