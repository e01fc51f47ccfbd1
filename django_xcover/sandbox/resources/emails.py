"""Trigger an e-mail (Quotes API: trigger e-mail)."""

from __future__ import annotations

from django_xcover.sandbox import transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid, package_not_found
from django_xcover.sandbox.validation import Field, clean, one_of

# Only BOOKING_CANCELLED was recorded. Inferred: the other events have the names of the webhooks.
EVENTS = {
    "BOOKING_CREATED": transitions.CONFIRMED,
    "BOOKING_UPDATED": transitions.CONFIRMED,
    "BOOKING_CANCELLED": transitions.CANCELLED,
}
DEFAULTS = {transitions.CONFIRMED: "BOOKING_CREATED", transitions.CANCELLED: "BOOKING_CANCELLED"}
FIELDS = {"event": Field(one_of(EVENTS))}


def send_email(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/send_email: 202, or 422 in the wrong status (recorded)."""
    package = inquiry.package()
    if package.status not in transitions.BOOKED:
        raise package_not_found()
    data = clean(inquiry.payload, FIELDS)
    event = data.get("event") or DEFAULTS.get(package.status, "BOOKING_CREATED")
    needed = EVENTS[event]
    if package.status != needed:
        raise Invalid([f"{event} email can be only triggered for {needed} bookings."])
    package.emails.append(event)
    inquiry.save(package)
    return Answer(202)
