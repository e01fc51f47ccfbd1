"""A package, as `quotes/` returns it before and after booking (annex A.1)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django_xcover.sandbox import datetimes, money, transitions
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.serializers import links
from django_xcover.sandbox.serializers.quote import in_package


def total(quotes: list[Quote]) -> Decimal:
    """Return the total of the quotes in force, which is zero after a cancellation (recorded)."""
    counted = (q for q in quotes if q.status not in transitions.OVER | {transitions.FAILED})
    return sum((quote.price for quote in counted), Decimal(0))


def head(site: str, package: Package, price: Decimal) -> dict[str, Any]:
    """Return the top-level keys that packages and bookings share."""
    return {
        "id": package.id,
        "status": package.status,
        "currency": package.currency,
        **money.pair("total_price", price, package.currency),
        "partner_transaction_id": package.partner_transaction_id,
        "created_at": datetimes.stamp(package.created_at),
        "updated_at": datetimes.stamp(package.updated_at),
        "pds_url": links.wording(site, package),
        "security_token": package.security_token,
    }


def shape(site: str, package: Package) -> dict[str, Any]:
    """Return the package. The keys of `quotes` are positions, not ids."""
    price = total(package.quotes)
    return {
        **head(site, package, price),
        "quotes": {str(q.position): in_package(site, package, q) for q in package.in_order},
        "bundle_code": None,
        **money.pair("bundle_price", price, package.currency),
        "bundle_content": {},
        "bundle_discount_percent": money.number(Decimal(0)),
        **money.pair("bundle_discount_amount", Decimal(0), package.currency),
        "errors": failures(package),
    }


def failures(package: Package) -> dict[str, Any]:
    """Return the items that could not be quoted. Inferred: by position, with 2026's messages."""
    return {
        str(quote.position): {"message": quote.failure, "type": "quote_creation_failure"}
        for quote in package.in_order
        if quote.failure
    }
