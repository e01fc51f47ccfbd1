"""Trigger an e-mail (Quotes API: trigger e-mail)."""

from __future__ import annotations

from django_xcover.sandbox import states
from django_xcover.sandbox.errors import Invalid, package_not_found
from django_xcover.sandbox.validation import Field, clean, one_of
from django_xcover.sandbox.world import Answer, Inquiry

# Inferred: the other events' names, after the webhooks; only BOOKING_CANCELLED was recorded.
EVENTS = {
    "BOOKING_CREATED": states.CONFIRMED,
    "BOOKING_UPDATED": states.CONFIRMED,
    "BOOKING_CANCELLED": states.CANCELLED,
}
DEFAULTS = {states.CONFIRMED: "BOOKING_CREATED", states.CANCELLED: "BOOKING_CANCELLED"}
FIELDS = {"event": Field(one_of(EVENTS))}


def send_email(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/send_email: 202; the wrong state is a 422 (recorded)."""
    package = inquiry.package()
    if package.status not in states.BOOKED:
        raise package_not_found()
    asked = clean(inquiry.payload, FIELDS)
    event = asked.get("event") or DEFAULTS.get(package.status, "BOOKING_CREATED")
    needed = EVENTS[event]
    if package.status != needed:
        raise Invalid([f"{event} email can be only triggered for {needed} bookings."])
    package.emails.append(event)
    inquiry.save(package)
    return Answer(202)
