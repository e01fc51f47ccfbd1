"""What there is to tell a partner, before anybody is told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django_xcover.sandbox.packages import Package
from django_xcover.sandbox.shapes import webhook as webhook_shape

# All the headings of the page; there is none for claims, instalments or opt-outs.
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
    """An event and its payload, as things stood when it happened."""

    partner: str
    event: str
    payload: dict[str, Any]


def about(package: Package, event: str, **more: Any) -> Notice:
    """Return a notice about the booking. Inferred: RENEWAL_* carry `renewal_id` beside the rest."""
    return Notice(package.partner, event, {**webhook_shape.shape(package), **more})
