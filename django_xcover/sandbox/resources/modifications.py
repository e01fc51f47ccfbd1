"""Modify directly, or quote and confirm (Quotes API: modification workflow)."""

from __future__ import annotations

import copy
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import ids, quoting, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid, not_found
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.serializers import booking as booking_shape
from django_xcover.sandbox.tariff import policy_rules
from django_xcover.sandbox.validation import (
    CHANGED_POLICYHOLDER,
    INSURED,
    Field,
    any_object,
    clean,
    list_of,
    nested,
    text,
)

# Replaces the payload of a modification that can no longer be confirmed.
OUTDATED = None


def modify_booking(inquiry: Inquiry) -> Answer:
    """PATCH bookings/{package}/: 200 with `*_diff`, applied immediately."""
    package = _confirmed(inquiry)
    before = _prices(package)
    _apply(inquiry, package, inquiry.payload)
    _outdate(package, before)
    inquiry.save(package)
    inquiry.notify(package, "BOOKING_UPDATED")
    return Answer(200, _body(inquiry, package, before))


def quote_modification(inquiry: Inquiry) -> Answer:
    """PATCH bookings/{package}/quote_for_update: 200 with an `update_id`, nothing applied."""
    package = _confirmed(inquiry)
    changed = copy.deepcopy(package)
    _apply(inquiry, changed, inquiry.payload)
    update_id = ids.new_update_id()
    package.updates[update_id] = inquiry.payload
    inquiry.save(package)
    return Answer(200, {**_body(inquiry, changed, _prices(package)), "update_id": update_id})


def confirm_modification(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/confirm_update/{id}/: 201 with `*_diff`, without `update_id`.

    Inferred: a used or unknown id is a 404. It does not expire, because no expiry is shown, but any
    other change invalidates it, because the difference would be wrong.
    """
    package = inquiry.package()
    if inquiry.ids["update"] not in package.updates:
        raise not_found("Modification does not exist")
    payload = package.updates.pop(inquiry.ids["update"])
    clean(inquiry.payload, {})
    transitions.moved(package.status, "modify")
    if payload is OUTDATED:
        raise Invalid(["The booking has changed since this modification was quoted."])
    before = _prices(package)
    _apply(inquiry, package, payload)
    _outdate(package, before)
    inquiry.save(package)
    inquiry.notify(package, "BOOKING_UPDATED")
    return Answer(201, _body(inquiry, package, before))


def _outdate(package: Package, before: dict[str, Decimal]) -> None:
    """Invalidate all previews after a change of price, because they are no longer correct."""
    if before == _prices(package):
        return
    package.updates = dict.fromkeys(package.updates, OUTDATED)
    for previewed in package.cancellations.values():
        previewed["outdated"] = True


def _confirmed(inquiry: Inquiry) -> Package:
    package = inquiry.package()
    transitions.moved(package.status, "modify")
    return package


def _prices(package: Package) -> dict[str, Decimal]:
    return {quote.id: quote.price for quote in package.booked}


def _apply(inquiry: Inquiry, package: Package, payload: Any) -> None:
    """Change the policyholder and the quotes.

    Recorded: new policyholder data updates no timestamp, new fields of a quote update both.
    """
    item: dict[str, Field] = {
        "id": Field(text, required=True),
        "update_fields": Field(any_object),
        "insured": Field(list_of(nested(INSURED))),
        "policy_start_date": Field(text),
    }
    schema = {
        "policyholder": Field(nested(CHANGED_POLICYHOLDER)),
        "quotes": Field(list_of(nested(item))),
    }
    data = clean(payload, schema)
    package.policyholder = {**(package.policyholder or {}), **data.get("policyholder", {})}
    for change in data.get("quotes", []):
        _change(inquiry, package, change)
        package.updated_at = inquiry.stamp()


def _change(inquiry: Inquiry, package: Package, change: dict[str, Any]) -> None:
    now = inquiry.world.clock.now()
    quote = _modifiable(package, change["id"], now)
    price = quote.price
    fields = dict(change.get("update_fields", {}))
    insured = change.get("insured", fields.pop("insured", None))
    if "policy_start_date" in change:
        fields["policy_start_date"] = change["policy_start_date"]
    try:
        _check_fixed(quote, fields, now)
        quoting.change_fields(quote, fields)
    except Invalid as refused:
        raise Invalid({"quotes": [{"update_fields": refused.errors}]}) from None
    if insured:
        quote.insured = [{"id": ids.new_uuid(), "region": None, **person} for person in insured]
    quoting.price(inquiry, package, quote)
    quote.settled += quote.price - price
    quote.updated_at = inquiry.stamp()


def _check_fixed(quote: Quote, fields: dict[str, Any], now: datetime) -> None:
    """Raise Invalid for a field that cannot be changed. Inferred: the message."""
    fixed = [name for name in fields if name in quoting.product_of(quote).fixed]
    errors = {name: ["This field can not be changed."] for name in fixed}
    if "policy_start_date" in fields and quote.priced and quote.priced.policy_start <= now:
        errors["policy_start_date"] = ["The policy has already started."]
    if errors:
        raise Invalid(errors)


def _modifiable(package: Package, quote_id: str, now: datetime) -> Quote:
    quote = package.quote(quote_id)
    if quote is None or not policy_rules.can_be_modified(quote, now):
        raise Invalid({"quotes": [f"Quote {quote_id} can not be modified"]})
    return quote


def _body(inquiry: Inquiry, package: Package, before: dict[str, Decimal]) -> dict[str, Any]:
    world = inquiry.world
    body = booking_shape.shape(world.site_url, package, world.clock.now())
    return booking_shape.with_differences(body, before, package)
