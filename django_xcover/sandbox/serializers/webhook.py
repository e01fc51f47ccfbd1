"""The payload of a webhook about a booking (Quotes API: webhooks, events)."""

from __future__ import annotations

from typing import Any

from django_xcover.sandbox import datetimes, money, transitions
from django_xcover.sandbox.packages import Package, Priced, Quote
from django_xcover.sandbox.products import PRODUCTS
from django_xcover.sandbox.serializers.package import total


def shape(package: Package) -> dict[str, Any]:
    """Return the payload of BOOKING_CREATED, the only one that the page shows in full.

    Inferred: the other events have the same payload.
    """
    return {
        "id": package.id,
        "status": package.status,
        "currency": package.currency,
        **money.pair("total_price", total(package.booked), package.currency),
        "partner_transaction_id": package.partner_transaction_id,
        "quotes": [
            _quote(package, quote, quote.priced) for quote in package.booked if quote.priced
        ],
    }


def _quote(package: Package, quote: Quote, priced: Priced) -> dict[str, Any]:
    """Return one policy. A cancelled one includes the refund."""
    product = PRODUCTS[quote.policy_type]
    refund = {"refund_value": money.number(quote.refund)} if quote.refund is not None else {}
    return {
        "id": quote.id,
        "policy_start_date": datetimes.offset(priced.policy_start),
        "policy_end_date": datetimes.offset(priced.policy_end) if priced.policy_end else None,
        "status": quote.status,
        **money.pair("price", quote.price, package.currency),
        "policy": {
            "policy_type": quote.policy_type,
            "policy_name": product.name,
            "policy_version": product.version_id,
        },
        "duration": datetimes.duration(priced.policy_start, priced.policy_end),
        "total_renewed_times": quote.renewed_times,
        **(refund if quote.status == transitions.CANCELLED else {}),
    }
