"""The shop's markets: country, currency and calling code."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.sessions.backends.base import SessionBase
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

SESSION_KEY = "market"


@dataclass(frozen=True, slots=True)
class Market:
    """`country` is ISO 3166-1 alpha-2, `currency` ISO 4217, `calling_code` starts with "+"."""

    country: str
    currency: str
    calling_code: str
    name: str | Promise


MARKETS = {
    market.country: market
    for market in (
        Market("GB", "GBP", "+44", _("United Kingdom")),
        Market("DE", "EUR", "+49", _("Germany")),
        Market("JP", "JPY", "+81", _("Japan")),
    )
}
HOME = MARKETS["GB"]


def market_of(session: SessionBase) -> Market:
    """Return the shopper's chosen market, or the home market."""
    return MARKETS.get(session.get(SESSION_KEY, ""), HOME)


def choose_market(session: SessionBase, country: str) -> None:
    """Store `country`; ignored if the shop doesn't sell there."""
    if country in MARKETS:
        session[SESSION_KEY] = country
