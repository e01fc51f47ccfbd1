"""`comprehensive_travel_insurance`: a trip, from the booking of it to the way home.

The request fields are those of the sibling API (Quotes API: request fields per type). Inferred:
which of them must be there, and everything about prices and benefits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import money
from django_xcover.sandbox.countries import COUNTRIES
from django_xcover.sandbox.people import INSURED
from django_xcover.sandbox.pricing import EURO_AREA
from django_xcover.sandbox.products.base import (
    Cover,
    Product,
    Terms,
    benefit,
    needed,
    no_policy,
    optional_texts,
)
from django_xcover.sandbox.products.travel_texts import TEXTS
from django_xcover.sandbox.validation import (
    Field,
    amount,
    boolean,
    count,
    integer,
    list_of,
    moment,
    nested,
    one_of,
)

LONGEST = timedelta(days=365)
NEAR = EURO_AREA | {"BG", "CH", "CZ", "DK", "GB", "HU", "IS", "LI", "NO", "PL", "RO", "SE"}
POUNDS_A_DAY = {True: Decimal("1.10"), False: Decimal("2.40")}  # Near, and far.
CHILD_SHARE = Decimal("0.5")
CANCELLATION_RATE = Decimal("0.035")
MEDICAL_IN_POUNDS = Decimal(5_000_000)
BAGGAGE_IN_POUNDS = Decimal(1500)
EXCESS_IN_POUNDS = Decimal(75)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return the cover of one trip: cancellation from the start of the policy, the rest on the way.

    Raises Invalid for a trip that has begun, ends before it begins or takes longer than a year.
    """
    begins, ends = fields["trip_start_date"], fields["trip_end_date"]
    start = fields.get("policy_start_date") or min(terms.now, begins)
    if not terms.now <= begins < ends <= begins + LONGEST or start > begins:
        raise no_policy()
    tickets = money.rounded(fields.get("total_tickets_price", Decimal(0)), terms.currency)
    daily = terms.pounds(_pounds_a_day(fields) * _days(begins, ends))
    net = daily + money.rounded(tickets * CANCELLATION_RATE, terms.currency)
    medical = terms.pounds(MEDICAL_IN_POUNDS)
    return Cover(start, ends, net, medical, _benefits(medical, tickets, terms))


def _pounds_a_day(fields: Mapping[str, Any]) -> Decimal:
    """Return what all travellers cost a day: children half, infants nothing."""
    children = CHILD_SHARE * int(fields.get("number_of_children", 0))
    travellers = Decimal(fields["number_of_adults"]) + children
    return POUNDS_A_DAY[fields["destination_country"] in NEAR] * travellers


def _days(begins: datetime, ends: datetime) -> int:
    """Return how many days have begun by the end."""
    return -((begins - ends) // timedelta(days=1))


def _benefits(medical: Decimal, tickets: Decimal, terms: Terms) -> list[dict[str, Any]]:
    baggage = terms.pounds(BAGGAGE_IN_POUNDS)
    excess = terms.pounds(EXCESS_IN_POUNDS)
    return [
        benefit("medical", terms, limit=medical, excess=excess),
        benefit("cancellation", terms, limit=tickets or "no_tickets", excess=min(excess, tickets)),
        benefit("baggage", terms, limit=baggage, excess=excess),
        benefit("delay", terms, limit="per_hour", excess="none"),
    ]


OWN: dict[str, Field] = {
    "policy_end_date": Field(moment),
    "trip_start_date": needed(moment),
    "trip_end_date": needed(moment),
    "destination_country": needed(one_of(COUNTRIES)),
    "departure_country": Field(one_of(COUNTRIES)),
    "number_of_adults": needed(integer),
    "number_of_children": Field(count),
    "number_of_infants": Field(count),
    "total_tickets_price": Field(amount),
    "is_return": Field(boolean),
    "insured": Field(list_of(nested(INSURED))),
    **optional_texts("sales_channel"),
}

TRAVEL = Product(
    policy_type="comprehensive_travel_insurance",
    group_name="travel",
    name="Comprehensive Travel Insurance",
    code="TRAV0001",
    version_id="9a0c5d5e-7f0b-4a86-9f0d-2f1c7b8e6a03",
    name_field="destination_country",
    own=OWN,
    cover=cover,
    texts=TEXTS,
    fixed=frozenset({"departure_country", "sales_channel"}),
    cancellable_until="trip_start_date",
)
