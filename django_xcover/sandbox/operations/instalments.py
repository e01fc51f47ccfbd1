"""Instalments: the schedule and the payments reported (Quotes API: instalments workflow)."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from itertools import pairwise
from typing import Any

from django_xcover.sandbox import ids, moments, money, states
from django_xcover.sandbox.errors import Invalid, package_not_found
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.shapes import instalments as instalments_shape
from django_xcover.sandbox.validation import Field, clean, integer, list_of, moment, nested, one_of
from django_xcover.sandbox.validation import text as read_text
from django_xcover.sandbox.world import Answer, Inquiry

# Months per instalment, twelve months in all, whatever the policy's period is (recorded).
PLANS = {"1year-monthly": 1, "1year-quarterly": 3}
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


def start_plan(quote: Quote, currency: str, now: datetime) -> None:
    """Lay out the schedule of a quote booked with a plan; its first entry is PAID at once."""
    if quote.instalment_plan is None or quote.priced is None:
        return
    step = PLANS[quote.instalment_plan]
    first = quote.priced.policy_start
    whole = first.replace(second=0, microsecond=0)
    starts = [moments.add_months(whole, step * number) for number in range(12 // step + 1)]
    for number, (start, following) in enumerate(pairwise(starts), start=1):
        quote.instalments.append(
            {
                **_part(quote, currency, 12 // step),
                "id": ids.new_uuid(),
                "number": number,
                "start": first if number == 1 else start,
                "end": following - timedelta(days=1),
                "status": "PAID" if number == 1 else "UNPAID",
                "failures": [],
                # Recorded: paid until the moment of booking. Inferred: later, the period's end.
                "paid_until": now if number == 1 else following - timedelta(days=1),
            }
        )


def _part(quote: Quote, currency: str, parts: int) -> dict[str, Any]:
    """Recorded: each amount is rounded up by itself, so that they do not add up."""

    def share(amount: Decimal) -> Decimal:
        return money.rounded(amount / parts, currency, ROUND_UP)

    if quote.priced is None:
        raise RuntimeError(f"Quote {quote.id} has a plan but no price.")
    taxes = [{**line, "amount": share(line["amount"])} for line in quote.priced.taxes]
    return {"amount": share(quote.price), "net": share(quote.priced.net), "taxes": taxes}


def get_instalments(inquiry: Inquiry) -> Answer:
    """GET bookings/{package}/instalments/."""
    return Answer(200, instalments_shape.shape(_booking(inquiry)))


def report_instalment(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/instalments/: 204, also for one that is paid already (recorded)."""
    package = _booking(inquiry)
    for item in clean(inquiry.payload, REPORT)["quotes"]:
        entry = _entry(package, item)
        if item["payment_status"] == "PAID":
            entry["status"] = "PAID"
        else:
            tried = item.get("payment_attempted_date") or inquiry.world.clock.now()
            entry["failures"].append({"payment_attempted_date": moments.stamp(tried)})
    inquiry.save(package)
    return Answer(204)


def _entry(package: Package, item: dict[str, Any]) -> dict[str, Any]:
    """Return the entry named by id or by number. Inferred: an unknown one is refused."""
    quote = package.quote(item["id"])
    for entry in quote.instalments if quote else ():
        if item.get("instalment_id") == entry["id"]:
            return entry
        if "instalment_id" not in item and item.get("instalment_number") == entry["number"]:
            return entry
    raise Invalid({"quotes": [f"Instalment of quote {item['id']} does not exist"]})


def _booking(inquiry: Inquiry) -> Package:
    package = inquiry.package()
    if package.status not in states.BOOKED:
        raise package_not_found()
    return package
