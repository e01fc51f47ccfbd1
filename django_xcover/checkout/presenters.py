"""The template context of an offer: its quotes, their hashes, errors and totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_xcover.checkout.forms import PLEASE_CHOOSE
from django_xcover.checkout.redirects import safe_next
from django_xcover.conf import get_config
from django_xcover.formats import format_amount, plain_amount
from django_xcover.mirror.presentation import Benefit, Offer, OfferedQuote, offer_hash

# Stored with each answer as evidence of what was shown. Increase it whenever a template or text of
# the offer changes.
TEMPLATE_VERSION = "8"

# The number of benefits on the card: the price and both answers stay in view on a phone.
HIGHLIGHTS = 3

SAVED = {
    "accepted": _("Saved: cover is added to your order."),
    "declined": _("Saved: no cover is added to your order."),
}

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

    @property
    def status(self) -> str:
        """Return the message for the stored answer, or "" without an answer."""
        return saved_sentence(self.quote)

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
    panels = [_panel(quote, error, quote_id, ask=ask) for quote in offer.quotes] if offer else []
    return {
        "offer": offer,
        "panels": panels,
        "totals": totals(offer) if offer else {},
        "error": "" if any(panel.quote.quote_id == quote_id for panel in panels) else error,
        "next": safe_next(request),
        "timeout": script_timeout(),
    }


def saved_sentence(quote: OfferedQuote) -> str:
    """Return the shopper's message for the stored answer to `quote`, or ""."""
    return str(SAVED.get(quote.choice, ""))


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
    return Panel(quote=quote, offer_hash=offer_hash(quote), error=own_error)
