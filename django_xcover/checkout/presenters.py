"""What the templates show: each offered quote with its mark and, if there is one, its error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_xcover.checkout.forms import PLEASE_CHOOSE
from django_xcover.checkout.redirects import safe_next
from django_xcover.conf import get_config
from django_xcover.formats import format_amount
from django_xcover.mirror.presentation import Offer, OfferedQuote, mark

# Kept with each answer as evidence of what was shown. Raise it whenever a template or a sentence
# around the offer changes.
TEMPLATE_VERSION = "7"

SAVED = {
    "accepted": _("Saved: cover is added to your order."),
    "declined": _("Saved: no cover is added to your order."),
}

# Milliseconds the script waits beyond XCOVER["OFFER_DEADLINE"]: the way to our server and back.
NETWORK_ALLOWANCE = 1500


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One offered quote as `xcover/_quote.html` shows it.

    `mark` comes back with the answer, so that a yes is never taken for a price or a wording
    that another tab has replaced since.
    """

    quote: OfferedQuote
    mark: str
    error: str

    @property
    def status(self) -> str:
        """Return the sentence that says what is on record, or "" without an answer."""
        return saved_sentence(self.quote)

    @property
    def has_limits(self) -> bool:
        """Return whether any benefit says up to which amount it pays."""
        return any(benefit.limit for benefit in self.quote.benefits)

    @property
    def has_excesses(self) -> bool:
        """Return whether any benefit says what the shopper pays first."""
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

    `error` is shown at the quote `quote_id`, or above all of them when that is not offered.
    `ask` puts a sentence at each quote that has no answer yet.
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
    """Return what is on record for `quote`, as a sentence for the shopper."""
    return str(SAVED.get(quote.choice, ""))


def totals(offer: Offer) -> dict[str, Any]:
    """Return what the cover costs now; `premium` is decimal text."""
    return {
        # Without the zeros a column pads it with.
        "premium": f"{offer.premium.amount.normalize():f}",
        "currency": offer.currency,
        "premiumFormatted": format_amount(offer.premium),
        "answered": offer.is_answered,
    }


def script_timeout() -> int:
    """Return how many milliseconds the script waits for our server."""
    return int(get_config().offer_deadline * 1000) + NETWORK_ALLOWANCE


def _panel(quote: OfferedQuote, error: str, quote_id: str, *, ask: bool) -> Panel:
    question = str(PLEASE_CHOOSE) if ask and not quote.choice else ""
    mine = error if quote.quote_id == quote_id else question
    return Panel(quote=quote, mark=mark(quote), error=mine)
