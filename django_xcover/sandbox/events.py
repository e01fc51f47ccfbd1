"""Events about packages that are sent to partners as webhooks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django_xcover.sandbox import datetimes, money, transitions
from django_xcover.sandbox.http.faults import WRONG_PRICE
from django_xcover.sandbox.packages import Package, Priced, Quote
from django_xcover.sandbox.products import PRODUCTS
from django_xcover.sandbox.serializers.package import total

# All events on the documentation page. It has none for claims, instalments or opt-outs.
EVENTS = (
    "BOOKING_CREATED",
    "BOOKING_UPDATED",
    "BOOKING_CANCELLED",
    "RENEWAL_CREATED",
    "RENEWAL_NOTIFICATION",
    "RENEWAL_DUE",
    "RENEWAL_EXPIRED",
)


@dataclass(frozen=True)
class Notice:
    """An event with its payload at the time it happened."""

    partner: str
    event: str
    payload: dict[str, Any]


def at_another_price(notice: Notice) -> Notice:
    """Return the notice with all prices multiplied by WRONG_PRICE."""
    payload, currency = notice.payload, notice.payload["currency"]

    def dearer(name: str, row: dict[str, Any]) -> dict[str, Any]:
        price = money.rounded(row[name] * WRONG_PRICE, currency)
        return {**row, **money.pair(name, price, currency)}

    quotes = [dearer("price", quote) for quote in payload["quotes"]]
    return replace(notice, payload={**dearer("total_price", payload), "quotes": quotes})


def about(package: Package, event: str, **more: Any) -> Notice:
    """Return a notice about the booking. Inferred: RENEWAL_* events also have `renewal_id`."""
    return Notice(package.partner, event, {**shape(package), **more})


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
