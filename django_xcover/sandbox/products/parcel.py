"""`parcel_insurance`: a parcel on its way.

The request fields are those of the oldest SDK's test; thirty days are recorded. Inferred: which
fields must be there, and everything about prices and benefits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import money
from django_xcover.sandbox.countries import COUNTRIES
from django_xcover.sandbox.products.base import (
    Cover,
    Product,
    Terms,
    benefit,
    needed,
    no_policy,
    optional_texts,
)
from django_xcover.sandbox.products.parcel_texts import TEXTS
from django_xcover.sandbox.validation import (
    Field,
    amount,
    any_text,
    list_of,
    moment,
    nested,
    one_of,
)

DURATION = timedelta(days=30)
RATES = {True: Decimal("0.012"), False: Decimal("0.02")}  # Within a country, and abroad.
LOWEST_IN_POUNDS = Decimal("0.80")
HIGHEST_VALUE_IN_POUNDS = Decimal(5000)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return thirty days of cover for what the parcel is worth.

    Raises Invalid for a parcel without a value, or worth more than £5,000.
    """
    value = money.rounded(_value(fields), terms.currency)
    if not 0 < value <= terms.pounds(HIGHEST_VALUE_IN_POUNDS):
        raise no_policy()
    start = terms.start(fields, "ship_date")
    rate = RATES[fields["from_country"] == fields["to_country"]]
    lowest = terms.pounds(LOWEST_IN_POUNDS)
    net = max(money.rounded(value * rate, terms.currency), lowest)
    return Cover(start, start + DURATION, net, value, _benefits(fields, value, terms))


def _value(fields: Mapping[str, Any]) -> Decimal:
    if "cover_amount" in fields:
        return Decimal(fields["cover_amount"])
    products = fields.get("parcel_products", [])
    return sum((product["value"] for product in products), Decimal(0))


def _benefits(fields: Mapping[str, Any], value: Decimal, terms: Terms) -> list[dict[str, Any]]:
    postage = money.rounded(fields.get("ship_cost", Decimal(0)), terms.currency)
    return [
        benefit("loss", terms, limit=value, excess="none"),
        benefit("damage", terms, limit=value, excess="none"),
        benefit("theft", terms, limit=value, excess="none"),
        benefit("postage", terms, limit=postage or "not_named", excess="none"),
    ]


PRODUCT_IN_PARCEL: dict[str, Field] = {"sku": needed(any_text), "value": needed(amount)}
OWN: dict[str, Field] = {
    "from_country": needed(one_of(COUNTRIES)),
    "to_country": needed(one_of(COUNTRIES)),
    "ship_cost": Field(amount),
    "ship_date": Field(moment),
    "cover_amount": Field(amount),
    "parcel_products": Field(list_of(nested(PRODUCT_IN_PARCEL))),
    **optional_texts("from_zipcode", "from_company_name", "to_zipcode"),
}

PARCEL = Product(
    policy_type="parcel_insurance",
    group_name="logistics",
    name="Parcel Insurance",
    code="PARC0001",
    version_id="c3d8e0a4-1b56-4c0f-8e2a-5b9f3d7a1e04",
    name_field="to_country",
    own=OWN,
    priced={"parcel_products": "value"},
    cover=cover,
    texts=TEXTS,
    fixed=frozenset({"from_country", "to_country"}),
    # The use case: cancelled "when a label is voided in time".
    cancellable_until="ship_date",
)
