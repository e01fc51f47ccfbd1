"""Fields that nobody may set, sent along with those that one may."""

from __future__ import annotations

from typing import Any

from django_xcover.models import Quote

SMUGGLED: dict[str, Any] = {
    "price": "0.01",
    "chosen_price": "0.01",
    "currency": "JPY",
    "status": "CONFIRMED",
    "state": "confirmed",
    "package": 99,
    "package_id": "XXXXX-XXXXX-INS",
    "order_reference": "ORD-9",
    "shopper_reference": "bob",
    "total_refund": "9999.00",
    "refunded": "9999.00",
    "confirm_before": "2099-01-01T00:00:00Z",
    "origin": "staff",
    "id": 99,
    "pk": 99,
}


def facts(quote: Quote) -> dict[str, Any]:
    """Return all that an answer may not change."""
    names = ("quote_id", "price", "status", "package_id", "payload", "request", "position")
    return {name: getattr(quote, name) for name in names} | {
        "currency": quote.package.currency,
        "order": quote.package.order_reference,
        "shopper": quote.package.shopper_reference,
        "total": quote.package.total_price,
    }
