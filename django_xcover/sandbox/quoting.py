"""Quote the items of a request."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import ids, money, transitions
from django_xcover.sandbox.context import Inquiry
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.http.faults import WRONG_PRICE
from django_xcover.sandbox.packages import Package, Priced, Quote
from django_xcover.sandbox.products import PRODUCTS, Product
from django_xcover.sandbox.products.base import NO_POLICY, Cover, Terms
from django_xcover.sandbox.tariff import pricing
from django_xcover.sandbox.validation import Field, clean, text

FIRST_VERSION = "1"
HEAD = frozenset({"policy_type", "policy_type_version"})
# Fields that are allowed in any item, but ignored.
UNREAD = frozenset({"insured"})


def read_item(value: Any) -> dict[str, Any]:
    """Return a validated item of `request`. An unknown policy type fails later, in the package."""
    kind = value.get("policy_type") if isinstance(value, dict) else None
    if isinstance(kind, str) and kind in PRODUCTS:
        return clean(value, PRODUCTS[kind].fields)
    head = {"policy_type": kind} if kind is not None else value
    clean(head, {"policy_type": Field(text, required=True)})
    return dict(value)


def new_quote(inquiry: Inquiry, package: Package, item: dict[str, Any], position: int) -> Quote:
    """Return a priced quote, or one with its failure if the item cannot be quoted.

    Inferred: an item that cannot be quoted does not fail the call (Quotes API: error types).
    """
    now = inquiry.stamp()
    quote = Quote(
        id=ids.new_uuid(),
        position=position,
        status=transitions.RECEIVED,
        policy_type=item["policy_type"],
        policy_type_version=str(item.get("policy_type_version", FIRST_VERSION)),
        fields={key: value for key, value in item.items() if key not in HEAD},
        created_at=now,
        updated_at=inquiry.stamp(),
    )
    try:
        price(inquiry, package, quote)
    except Invalid as refused:
        quote.status, quote.failure = transitions.FAILED, refused.errors[0]
    return quote


def price(inquiry: Inquiry, package: Package, quote: Quote) -> None:
    """Price the quote by its fields. Raise Invalid if it cannot be quoted."""
    product = PRODUCTS.get(quote.policy_type)
    version = product.versions.get(quote.policy_type_version) if product else None
    if product is None or version is None:
        raise Invalid([NO_POLICY])
    policy_currency = version.currency or pricing.policy_currency(package.country)
    terms = Terms(package.currency, package.country, policy_currency, quote.created_at)
    offered = product.cover(quote.fields, terms)
    net = _net(offered, quote, package)
    if inquiry.has_effect("wrong_price"):
        net = money.rounded(net * WRONG_PRICE, package.currency)
    quote.priced = Priced(
        policy_start=offered.start,
        policy_end=None if version.open_ended else offered.end,
        net=net,
        taxes=pricing.tax_lines(net, package.country, package.currency),
        cover_amount=offered.amount,
        policy_currency=policy_currency,
        benefits=offered.benefits,
    )


def _net(offered: Cover, quote: Quote, package: Package) -> Decimal:
    """Return the net premium. `partner_price`, if given, is the gross price set by the partner."""
    gross = quote.fields.get("partner_price")
    if gross is None:
        factor = PRODUCTS[quote.policy_type].renewal_rate ** quote.renewed_times
        return money.rounded(offered.net * factor, package.currency)
    lines = pricing.tax_lines(Decimal(0), package.country, package.currency)
    fee = sum((line["amount"] for line in lines), Decimal(0))
    rate = sum((line["value"] for line in lines if line["type"] == "PERCENTAGE"), Decimal(0))
    return money.rounded(max(gross - fee, Decimal(0)) / (1 + rate / 100), package.currency)


def change_fields(quote: Quote, changes: dict[str, Any]) -> None:
    """Overwrite type-specific fields, validated by the quote's product, without pricing them.

    Raise Invalid for a field the product does not have.
    """
    schema = PRODUCTS[quote.policy_type].fields
    optional = {key: schema[key] for key in changes if key in schema and key not in HEAD}
    read = clean(changes, {key: replace(field, required=False) for key, field in optional.items()})
    if "tickets" in read:
        quote.fields.pop("total_ticket_price", None)
    quote.fields.update(read)


def change_currency(quote: Quote, old: str, new: str) -> None:
    """Convert all amounts in the quote's fields (recorded in 2021: all amounts converted)."""
    product = PRODUCTS[quote.policy_type]
    quote.fields = product.with_money(quote.fields, lambda sum_: money.converted(sum_, old, new))


def product_of(quote: Quote) -> Product:
    """Return the product of a priced quote."""
    return PRODUCTS[quote.policy_type]
