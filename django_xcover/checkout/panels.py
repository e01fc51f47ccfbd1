"""What the templates show: each offered quote with its mark and, if there is one, its error."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from django_xcover.checkout.forms import PLEASE_CHOOSE
from django_xcover.checkout.returning import safe_next
from django_xcover.conf import get_config
from django_xcover.services.offers import Offer, OfferedQuote, evidence

# Kept with each answer as evidence of what was shown. Raise it whenever a template or a sentence
# around the offer changes.
TEMPLATE_VERSION = "1"

SAVED = {
    "accepted": _("Saved: cover is added to your order."),
    "declined": _("Saved: your order stays without cover."),
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


def mark_of(quote: OfferedQuote) -> str:
    """Return a short hash of what is shown of `quote`: its price, wording and documents."""
    moments = {name: value and value.timestamp() for name, value in _period(quote).items()}
    shown = json.dumps(evidence(quote) | moments, sort_keys=True)
    return hashlib.sha256(shown.encode()).hexdigest()[:32]


def saved_sentence(quote: OfferedQuote) -> str:
    """Return what is on record for `quote`, as a sentence for the shopper."""
    return str(SAVED.get(quote.choice, ""))


def totals(offer: Offer) -> dict[str, Any]:
    """Return what the cover costs now; `premium` is decimal text.

    XCover formats the price of a quote and never a sum, so `premiumFormatted` is there only while
    one quote is accepted.
    """
    accepted = [quote.price_formatted for quote in offer.quotes if quote.choice == "accepted"]
    return {
        # Without the zeros a column pads it with.
        "premium": f"{offer.premium.amount.normalize():f}",
        "currency": offer.currency,
        "premiumFormatted": accepted[0] if len(accepted) == 1 else "",
        "answered": offer.is_answered,
    }


def script_timeout() -> int:
    """Return how many milliseconds the script waits for our server."""
    return int(get_config().offer_deadline * 1000) + NETWORK_ALLOWANCE


def _period(quote: OfferedQuote) -> dict[str, datetime | None]:
    # XCover keeps the offset a time was sent with and a database does not: the same moment reads
    # differently before and after it was stored.
    return {"starts": quote.starts, "ends": quote.ends}


def _panel(quote: OfferedQuote, error: str, quote_id: str, *, ask: bool) -> Panel:
    question = str(PLEASE_CHOOSE) if ask and not quote.choice else ""
    mine = error if quote.quote_id == quote_id else question
    return Panel(quote=quote, mark=mark_of(quote), error=mine)
