"""`product_insurance`: accidents, theft and breakdown of a thing bought in a shop.

Inferred throughout: the contract only says that it needs category, price, name and description.
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
    Version,
    benefit,
    needed,
    no_policy,
    optional_texts,
)
from django_xcover.sandbox.products.product_texts import TEXTS
from django_xcover.sandbox.validation import Field, amount, integer, moment, text

DEFAULT_MONTHS = 24
# Net premium for 24 months as a share of the price.
RATES = {"phone": Decimal("0.085"), "jewellery": Decimal("0.045"), "furniture": Decimal("0.05")}
DEFAULT_RATE = Decimal("0.068")
HIGHEST_PRICE_IN_POUNDS = Decimal(15000)


def cover(fields: Mapping[str, Any], terms: Terms) -> Cover:
    """Return cover for `quantity` pieces over `term` months, 24 unless asked otherwise.

    Raises Invalid for a piece dearer than £15,000, so that a shop can see a quote that fails.
    """
    if fields["price"] > terms.pounds(HIGHEST_PRICE_IN_POUNDS):
        raise no_policy()
    start = terms.start(fields, "purchase_date")
    months = fields.get("term", DEFAULT_MONTHS)
    value = money.rounded(fields["price"] * fields.get("quantity", 1), terms.currency)
    rate = RATES.get(fields["category"].lower(), DEFAULT_RATE)
    net = money.rounded(value * rate * months / DEFAULT_MONTHS, terms.currency)
    end = moments.add_months(start, months)
    return Cover(start, end, net, value, _benefits(fields["price"], value, terms))


def _benefits(piece: Decimal, value: Decimal, terms: Terms) -> list[dict[str, Any]]:
    small = money.rounded(piece * Decimal("0.05"), terms.currency)
    large = money.rounded(piece * Decimal("0.10"), terms.currency)
    return [
        benefit("damage", terms, limit=value, excess=small),
        benefit("theft", terms, limit=value, excess=large),
        benefit("breakdown", terms, limit=value, excess="none"),
        benefit("repairs", terms, limit="no_number", excess="per_claim"),
    ]


OWN: dict[str, Field] = {
    "category": needed(text),
    "price": needed(amount),
    "name": needed(text),
    "description": needed(text),
    "quantity": Field(integer),
    "purchase_date": Field(moment),
    "term": Field(partial(integer, highest=60)),
    **optional_texts("sku", "brand", "model", "variant", "condition", "serial_number"),
}

PRODUCT = Product(
    policy_type="product_insurance",
    group_name="retail",
    name="Product Protection",
    code="PROD0001",
    version_id="4e0a1f6b-8b7d-4a35-8c56-7d2f3e9b1c02",
    name_field="name",
    own=OWN,
    cover=cover,
    texts=TEXTS,
    fixed=frozenset({"category", "purchase_date", "term"}),
    instalments=True,
    renewable=True,
    # None of the ten retail policies of 2026 has an end; theirs are in euros. Inferred: the number.
    versions={"1": Version(), "2": Version(currency="EUR", open_ended=True)},
)
