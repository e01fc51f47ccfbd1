"""Instalments: the schedule and the payments reported (Quotes API: instalments workflow).

Theirs is the only response with tax amounts as strings (annex A.7).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from typing import Any

from django_xcover.sandbox import datetimes, money, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid, package_not_found
from django_xcover.sandbox.packages import Package, Quote
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
    return Answer(200, shape(_booking(inquiry)))


def report_instalment(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/instalments/: 204, even if it is already paid (recorded)."""
    package = _booking(inquiry)
    for item in clean(inquiry.payload, REPORT)["quotes"]:
        entry = _find_entry(package, item)
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


def _find_entry(package: Package, item: dict[str, Any]) -> dict[str, Any]:
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


def shape(package: Package) -> dict[str, Any]:
    """Return the schedules. Inferred: a booking without a plan has none."""
    planned = [quote for quote in package.booked if quote.instalments]
    return {
        "quotes": [_quote(package, quote) for quote in planned],
        "currency": package.currency,
    }


def _quote(package: Package, quote: Quote) -> dict[str, Any]:
    schedule = [_entry(package, quote, entry) for entry in quote.instalments]
    # Inferred: nothing is due for a cancelled policy, although its entries are unchanged.
    unpaid = [
        entry
        for entry in schedule
        if entry["status"] == "UNPAID" and quote.status != transitions.CANCELLED
    ]
    amounts = (entry["amount"] for entry in quote.instalments if entry["status"] == "PAID")
    paid = list(takewhile(lambda entry: entry["status"] == "PAID", quote.instalments))
    return {
        "id": quote.id,
        "next_payment": unpaid[0] if unpaid else None,
        "paid_until": datetimes.stamp(paid[-1]["paid_until"]),
        "payment_schedule": schedule,
        "total_amount_paid": money.number(sum(amounts, money.ZERO)),
        "total_amount_due": money.number(sum((e["total_amount"] for e in unpaid), money.ZERO)),
    }


def _entry(package: Package, quote: Quote, entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": entry["id"],
        "number": entry["number"],
        "quote": quote.id,
        "period_start_date": _second(entry["start"]),
        "period_end_date": _second(entry["end"]),
        "status": entry["status"],
        "commission": money.number(Decimal(0)),
        "total_amount": money.number(entry["amount"]),
        "tax": _tax(entry, package.currency),
        "surcharges": {},
        "payment_failures": entry["failures"] or None,
    }


def _tax(entry: dict[str, Any], currency: str) -> dict[str, Any]:
    total = sum((line["amount"] for line in entry["taxes"]), Decimal(0))
    return {
        "taxes": [_line(line, currency) for line in entry["taxes"]],
        **_text("total_tax", total, currency),
        **_text("total_amount_without_tax", entry["net"], currency),
    }


def _line(line: dict[str, Any], currency: str) -> dict[str, Any]:
    return {
        "tax_code": line["code"],
        "tax_type": line["type"],
        "tax_label": line["code"],
        "tax_value": f"{line['value']:.20f}",
        **_text("tax_amount", line["amount"], currency),
    }


def _text(name: str, amount: Decimal, currency: str) -> dict[str, str]:
    exact = str(money.rounded(amount, currency))
    return {name: exact, f"{name}_formatted": money.formatted(amount, currency)}


def _second(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
