"""Instalment plans, and the schedule of a policy that is booked with one."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_UP, Decimal
from itertools import pairwise
from typing import Any

from django_xcover.sandbox import datetimes, ids, money
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.products import PRODUCTS

# Months per instalment, twelve months in total, regardless of the policy's period (recorded).
PLANS = {"1year-monthly": 1, "1year-quarterly": 3}
LABELS = {"1year-monthly": "1Year-Monthly", "1year-quarterly": "1Year-Quarterly"}


def offered(quote: Quote, currency: str) -> list[dict[str, Any]]:
    """Return the plans as a quote lists them. `amount` is the total price (recorded)."""
    product = PRODUCTS[quote.policy_type]
    plans = []
    for name, months in PLANS.items() if product.instalments else ():
        plan = {"name": name, "label": LABELS[name], "amount": money.number(quote.price)}
        if product.first_instalment_named:
            first = share(quote.price, months, currency)
            plan["first_instalment_amount"] = money.number(first)
        plans.append(plan)
    return plans


def refuse(quote: Quote, plan: str | None) -> None:
    """Raise Invalid if the product cannot be paid in instalments. Inferred: the message."""
    if plan is not None and not PRODUCTS[quote.policy_type].instalments:
        raise Invalid({"quotes": [f"Quote {quote.id} can not be paid in instalments"]})


def share(amount: Decimal, months: int, currency: str) -> Decimal:
    """Return one instalment. Recorded: each is rounded up, so their sum can exceed the amount."""
    return money.rounded(amount * months / 12, currency, ROUND_UP)


def start(package: Package, quote: Quote, now: datetime) -> None:
    """Create the schedule of a quote booked with a plan. Its first entry is PAID immediately."""
    if quote.instalment_plan is None or quote.priced is None:
        return
    months = PLANS[quote.instalment_plan]
    part = _part(quote, months, package.currency)
    first = quote.priced.policy_start
    whole = first.replace(second=0, microsecond=0)
    starts = [datetimes.add_months(whole, count) for count in range(0, 13, months)]
    for number, (begins, following) in enumerate(pairwise(starts), start=1):
        ends = following - timedelta(days=1)
        quote.instalments.append(
            {
                **part,
                "id": ids.new_uuid(),
                "number": number,
                "start": first if number == 1 else begins,
                "end": ends,
                "status": "PAID" if number == 1 else "UNPAID",
                "failures": [],
                # Recorded: paid until the moment of booking. Inferred: later, the period's end.
                "paid_until": now if number == 1 else ends,
            }
        )


def _part(quote: Quote, months: int, currency: str) -> dict[str, Any]:
    if quote.priced is None:
        raise RuntimeError(f"Quote {quote.id} has a plan but no price.")
    taxes = [
        {**line, "amount": share(line["amount"], months, currency)} for line in quote.priced.taxes
    ]
    return {
        "amount": share(quote.price, months, currency),
        "net": share(quote.priced.net, months, currency),
        "taxes": taxes,
    }
