"""Instalments: the schedule and the payments reported (Quotes API: instalments workflow)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django_xcover.sandbox import datetimes, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid, package_not_found
from django_xcover.sandbox.packages import Package
from django_xcover.sandbox.serializers import instalments as instalments_shape
from django_xcover.sandbox.validation import Field, clean, integer, list_of, moment, nested, one_of
from django_xcover.sandbox.validation import text as read_text

# Inferred: FAILED; only PAID was recorded.
STATUSES = ("PAID", "FAILED")
REPORTED: dict[str, Field] = {
    "id": Field(read_text, required=True),
    "instalment_id": Field(read_text),
    "instalment_number": Field(integer),
    "payment_status": Field(one_of(STATUSES), required=True),
    "payment_attempted_date": Field(moment, null=True),
}
REPORT = {"quotes": Field(list_of(nested(REPORTED)), required=True)}


def get_instalments(inquiry: Inquiry) -> Answer:
    """GET bookings/{package}/instalments/."""
    return Answer(200, instalments_shape.shape(_booking(inquiry)))


def report_instalment(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/instalments/: 204, even if it is already paid (recorded)."""
    package = _booking(inquiry)
    for item in clean(inquiry.payload, REPORT)["quotes"]:
        entry = _entry(package, item)
        if item["payment_status"] == "PAID":
            entry["status"] = "PAID"
        else:
            _fail(entry, item, inquiry.world.clock.now())
    inquiry.save(package)
    return Answer(204)


def _fail(entry: dict[str, Any], item: dict[str, Any], now: datetime) -> None:
    """Add a failure. Inferred: it stays UNPAID until reported as PAID, and failures stay listed."""
    if entry["status"] == "PAID":
        sentence = f"Instalment {entry['number']} of quote {item['id']} is already paid"
        raise Invalid({"quotes": [sentence]})
    failure = {"payment_attempted_date": datetimes.stamp(item.get("payment_attempted_date") or now)}
    if failure not in entry["failures"]:
        entry["failures"].append(failure)


def _entry(package: Package, item: dict[str, Any]) -> dict[str, Any]:
    """Return the entry with the id or number. Inferred: an unknown one is refused."""
    quote = package.quote(item["id"])
    if quote is not None and quote.status == transitions.CANCELLED:
        raise Invalid({"quotes": [f"Quote {quote.id} is cancelled: no instalment is due"]})
    for entry in quote.instalments if quote else ():
        if item.get("instalment_id") == entry["id"]:
            return entry
        if "instalment_id" not in item and item.get("instalment_number") == entry["number"]:
            return entry
    raise Invalid({"quotes": [f"Instalment of quote {item['id']} does not exist"]})


def _booking(inquiry: Inquiry) -> Package:
    package = inquiry.package()
    if package.status not in transitions.BOOKED:
        raise package_not_found()
    return package
