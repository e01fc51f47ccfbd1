"""`renters_insurance`: what one owns in a rented home, period after period.

Renewable, with a period of a month in the renewal page's sample. Inferred: every request field,
and everything about prices and benefits.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from typing import Any

from django_xcover.sandbox import moments, money
from django_xcover.sandbox.products.base import (
    Cover,
    Product,
    Terms,
    benefit,
    needed,
    no_policy,
    optional_texts,
)
from django_xcover.sandbox.products.renters_texts import TEXTS
from django_xcover.sandbox.validation import Field, amount, integer, text

DEFAULT_MONTHS = 12
BASE_IN_POUNDS = Decimal(36)  # A year, with nothing in the home.
NET_RATE = Decimal("0.0035")
HIGHEST_VALUE_IN_POUNDS = Decimal(150_000)
LIABILITY_IN_POUNDS = Decimal(100_000)
EXCESS_IN_POUNDS = Decimal(100)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return cover for the contents over `term` months, 12 unless asked otherwise.

    Raises Invalid for contents worth more than £150,000.
    """
    value = money.rounded(fields["contents_value"], terms.currency)
    if value > terms.pounds(HIGHEST_VALUE_IN_POUNDS):
        raise no_policy()
    start = terms.start(fields)
    months = fields.get("term", DEFAULT_MONTHS)
    base = terms.pounds(BASE_IN_POUNDS)
    net = money.rounded((base + value * NET_RATE) * months / DEFAULT_MONTHS, terms.currency)
    return Cover(start, moments.add_months(start, months), net, value, _benefits(value, terms))


def _benefits(value: Decimal, terms: Terms) -> list[dict[str, Any]]:
    excess = terms.pounds(EXCESS_IN_POUNDS)
    liability = terms.pounds(LIABILITY_IN_POUNDS)
    away = money.rounded(value * Decimal("0.1"), terms.currency)
    return [
        benefit("contents", terms, limit=value, excess=excess),
        benefit("theft", terms, limit=value, excess=excess),
        benefit("liability", terms, limit=liability, excess="none"),
        benefit("away", terms, limit=away, excess=min(excess, away)),
    ]


OWN: dict[str, Field] = {
    "address1": needed(text),
    "contents_value": needed(amount),
    "number_of_residents": Field(integer),
    "number_of_bedrooms": Field(integer),
    "term": Field(partial(integer, highest=12)),
    **optional_texts("address2", "city", "postcode", "region", "property_type"),
}

RENTERS = Product(
    policy_type="renters_insurance",
    group_name="property",
    name="Renters Insurance",
    code="RENT0001",
    version_id="e7f1b2c6-3a94-4d2b-9c61-0d8e4f5b7a05",
    name_field="address1",
    own=OWN,
    cover=cover,
    texts=TEXTS,
    # "Name, address and any rating factor must be captured so that the premium stays right."
    fixed=frozenset({"term"}),
    instalments=True,
    renewable=True,
    renewal_rate=Decimal("1.03"),
)
