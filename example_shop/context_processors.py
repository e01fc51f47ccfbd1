"""The context of the base template."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from example_shop.markets import MARKETS, market_of
from example_shop.models import Category


def shop(request: HttpRequest) -> dict[str, Any]:
    """Return the market, all markets and the categories, without a query."""
    session = getattr(request, "session", None)
    if session is None:
        return {}
    return {
        "market": market_of(session),
        "markets": MARKETS.values(),
        "categories": Category,
        "dual_payment": settings.SHOP_DUAL_PAYMENT,
        "xpay_form": settings.SHOP_XPAY_FORM,
    }
