"""Quote packages: create, read, update, add, delete, opt out (Quotes API: quote request)."""

from __future__ import annotations

from typing import Any

from django_xcover.sandbox import datetimes, ids, money, quoting, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.products.base import NO_POLICY
from django_xcover.sandbox.serializers import package as package_shape
from django_xcover.sandbox.tariff.pricing import COUNTRIES
from django_xcover.sandbox.validation import (
    Field,
    any_text,
    clean,
    list_of,
    metadata,
    nested,
    one_of,
    text,
)

CUSTOMER: dict[str, Field] = {
    "customer_language": Field(text, null=True),
    "customer_region": Field(any_text, null=True),
    "customer_postcode": Field(any_text, null=True),
    "partner_customer_id": Field(any_text, null=True),
    "partner_subsidiary": Field(any_text, null=True),
    "partner_metadata": Field(metadata, null=True),
}
# In the order in which the recorded 422 lists missing fields.
CREATE: dict[str, Field] = {
    "currency": Field(one_of(money.RATES), required=True),
    "request": Field(list_of(quoting.read_item), required=True),
    "customer_country": Field(one_of(COUNTRIES), required=True),
    # The oldest SDK's test of parcels sends it beside the request. Inferred: it is ignored.
    "destination_country": Field(one_of(COUNTRIES), null=True),
    # Other clients already send it with the quote. A booking may name another one.
    "partner_transaction_id": Field(any_text, null=True),
    **CUSTOMER,
}
ADD = {"request": Field(list_of(quoting.read_item), required=True)}
DELETE = {"quotes": Field(list_of(nested({"id": Field(text, required=True)})))}


def create_quote(inquiry: Inquiry) -> Answer:
    """POST quotes/: 201 with the package, in which failed items are null.

    If all items fail, it is a 422. Inferred: its body, the errors of the package by position.
    """
    package = new_package(inquiry, clean(inquiry.payload, CREATE))
    if not any(quote.priced for quote in package.quotes):
        raise Invalid(package_shape.failures(package))
    inquiry.save(package)
    return _shown(inquiry, package, 201)


def fast_quote(inquiry: Inquiry) -> Answer:
    """POST quotes/?fast_quote=1: a price that is not stored.

    Inferred: the response is the package without the fields of a stored one, plus a
    `fast_quote_id`. Only this id is stored, for the opt-out.
    """
    package = new_package(inquiry, clean(inquiry.payload, CREATE))
    fast_id = ids.new_uuid()
    sql = "INSERT INTO fast_quote (id, partner) VALUES (?, ?)"
    inquiry.world.store.rows(sql, (fast_id, inquiry.partner))
    body = package_shape.shape(inquiry.world.site_url, package)
    for name in ("id", "status", "security_token", "created_at", "updated_at"):
        del body[name]
    return Answer(201, {"fast_quote_id": fast_id, **body})


def get_quote(inquiry: Inquiry) -> Answer:
    """GET quotes/{package}/: in every status, booked or not."""
    return _shown(inquiry, inquiry.package(), 200)


def update_quote(inquiry: Inquiry) -> Answer:
    """PATCH quotes/{package}/: updates the package's `updated_at`, not the quotes' (recorded)."""
    package = _open_package(inquiry)
    schema = {
        "currency": Field(one_of(money.RATES)),
        "request": Field(list_of(lambda item: _change(package, item))),
        **CUSTOMER,
    }
    currency = inquiry.payload.get("currency") if isinstance(inquiry.payload, dict) else None
    _convert(package, currency)
    clean(inquiry.payload, schema)
    for quote in _given_out(package):
        quoting.price(inquiry, package, quote)
    package.updated_at = inquiry.stamp()
    inquiry.save(package)
    return _shown(inquiry, package, 200)


def add_quotes(inquiry: Inquiry) -> Answer:
    """POST quotes/{package}/add/: 201. The new quotes get the first keys, the others are shifted.

    Recorded: the `updated_at` of the old quotes changes, the package's does not.
    """
    package = _open_package(inquiry)
    items = clean(inquiry.payload, ADD)["request"]
    for quote in package.quotes:
        quote.position += len(items)
        quote.updated_at = inquiry.stamp()
    for position, item in enumerate(items):
        package.quotes.append(quoting.new_quote(inquiry, package, item, position))
    inquiry.save(package)
    return _shown(inquiry, package, 201)


def delete_quotes(inquiry: Inquiry) -> Answer:
    """POST quotes/{package}/delete/: 200. The remaining quotes keep their keys (recorded).

    Recorded: `quotes` is not required. Inferred: an id that is not in the package is refused.
    """
    package = _open_package(inquiry)
    listed = clean(inquiry.payload, DELETE).get("quotes", [])
    gone = {item["id"] for item in listed}
    unknown = [quote_id for quote_id in gone if package.quote(quote_id) is None]
    if unknown:
        raise Invalid({"quotes": [f"Quote {quote_id} does not exist" for quote_id in unknown]})
    package.quotes = [quote for quote in package.quotes if quote.id not in gone]
    inquiry.save(package)
    return _shown(inquiry, package, 200)


def new_package(inquiry: Inquiry, data: dict[str, Any]) -> Package:
    """Return a new package with its quotes, without storing it."""
    now = inquiry.stamp()
    package = Package(
        id=ids.new_package_id(),
        partner=inquiry.partner,
        status=transitions.RECEIVED,
        currency=data["currency"],
        country=data["customer_country"],
        language=data.get("customer_language") or "en",
        region=data.get("customer_region"),
        security_token=ids.new_token(),
        signup_token=ids.new_token(),
        created_at=now,
        updated_at=now,
        partner_transaction_id=data.get("partner_transaction_id"),
        partner_metadata=data.get("partner_metadata") or {},
    )
    for position, item in enumerate(data["request"]):
        package.quotes.append(quoting.new_quote(inquiry, package, item, position))
    _lose_one(inquiry, package)
    # Recorded: the package is a few milliseconds younger than its quotes.
    package.created_at, package.updated_at = inquiry.stamp(), inquiry.stamp()
    return package


def _lose_one(inquiry: Inquiry, package: Package) -> None:
    if not inquiry.has_effect("missing_policy"):
        return
    lost = package.quotes[0]
    lost.status, lost.failure, lost.priced = transitions.FAILED, NO_POLICY, None
    if inquiry.effect is not None and inquiry.effect.how == "absent":
        package.quotes.remove(lost)


def _open_package(inquiry: Inquiry) -> Package:
    package = inquiry.package()
    transitions.moved(package.status, "requote")
    return package


def _given_out(package: Package) -> list[Quote]:
    return [quote for quote in package.quotes if quote.priced is not None]


def _convert(package: Package, currency: Any) -> None:
    if not isinstance(currency, str) or currency not in money.RATES:
        return
    for quote in _given_out(package):
        quoting.change_currency(quote, package.currency, currency)
    package.currency = currency


def _change(package: Package, item: Any) -> None:
    if not isinstance(item, dict) or "quote_id" not in item:
        raise Invalid({"quote_id": ["This field is required."]})
    quote = package.quote(str(item["quote_id"]))
    if quote is None:
        raise Invalid({"quote_id": [f"Quote {item['quote_id']} does not exist"]})
    quoting.change_fields(quote, {key: value for key, value in item.items() if key != "quote_id"})


def _shown(inquiry: Inquiry, package: Package, status: int) -> Answer:
    return Answer(status, package_shape.shape(inquiry.world.site_url, package))


FIELDS = {"partner_metadata": Field(metadata, null=True)}


def opt_out(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/opt_out: 204, by package id or by fast-quote id.

    Recorded: the package becomes OPTED_OUT, its quotes stay RECEIVED, no timestamp changes.
    """
    if _opted_out_of_fast_quote(inquiry):
        return Answer(204)
    package = inquiry.package()
    data = clean(inquiry.payload, FIELDS)
    package.status = transitions.moved(package.status, "opt_out")
    package.partner_metadata |= data.get("partner_metadata") or {}
    inquiry.save(package)
    return Answer(204)


def _opted_out_of_fast_quote(inquiry: Inquiry) -> bool:
    at = datetimes.stamp(inquiry.world.clock.now())
    changed = inquiry.world.store.rows(
        "UPDATE fast_quote SET opted_out = ? WHERE id = ? AND partner = ? RETURNING id",
        (at, inquiry.ids["package"], inquiry.partner),
    )
    return bool(changed)
