"""Events about packages that are sent to partners as webhooks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django_xcover.sandbox import money
from django_xcover.sandbox.http.faults import WRONG_PRICE
from django_xcover.sandbox.packages import Package
from django_xcover.sandbox.serializers import webhook as webhook_shape

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
    return Notice(package.partner, event, {**webhook_shape.shape(package), **more})
