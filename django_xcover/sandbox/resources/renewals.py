"""Renewals: quote, confirm, decline (Quotes API: renewal workflow).

A quoted renewal is "an updated booking" with a `renewal_id`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django_xcover.sandbox import ids, renewing
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import not_found
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.resources.quotes import FIELDS as OPT_OUT
from django_xcover.sandbox.serializers import booking as booking_shape
from django_xcover.sandbox.serializers.package import account, certificate, head, in_booking, total
from django_xcover.sandbox.tariff import plans
from django_xcover.sandbox.validation import Field, clean, list_of, moment, nested, one_of, text

RENEWED: dict[str, Field] = {
    "id": Field(text, required=True),
    "policy_start_date": Field(moment, required=True),
    "policy_end_date": Field(moment, null=True),
    "instalment_plan": Field(one_of(plans.PLANS), null=True),
}
# `id` and `policy_start_date` are required; the page's table is cut off after them. Inferred: they
# may be at the top level, for one quote, or in `quotes`.
CONFIRM_ALL: dict[str, Field] = {"quotes": Field(list_of(nested(RENEWED)), required=True)}
LEGACY: dict[str, Field] = {"paid_on": Field(moment, required=True)}


def quote_for_renewal(inquiry: Inquiry) -> Answer:
    """PATCH renewals/{package}/quote_for_renewal/: 200 with a `renewal_id`; nothing changes yet."""
    package = inquiry.package()
    clean(inquiry.payload, {})
    renewal_id = ids.new_renewal_id()
    quotes = renewing.start(inquiry, package, renewal_id)
    inquiry.notices.extend(renewing.created(package, renewal_id))
    inquiry.save(package)
    world = inquiry.world
    now = world.clock.now()
    return Answer(200, shape(world.site_url, package, quotes, renewal_id, now))


def confirm_renewal(inquiry: Inquiry) -> Answer:
    """POST renewals/{package}/confirm/{id}/: the booking with the new period.

    Inferred: 201, as for `confirm_update`; the page names no status.
    """
    package = inquiry.package()
    if inquiry.ids["renewal"] not in package.renewals:
        raise not_found(renewing.MISSING)
    in_list = isinstance(inquiry.payload, dict) and "quotes" in inquiry.payload
    data = clean(inquiry.payload, CONFIRM_ALL if in_list else RENEWED)
    _confirm(inquiry, package, inquiry.ids["renewal"], data)
    world = inquiry.world
    return Answer(201, booking_shape.shape(world.site_url, package, world.clock.now()))


def confirm_renewal_legacy(inquiry: Inquiry) -> Answer:
    """PATCH renewals/{id}/confirmation: 202 and an empty body (recorded in 2020).

    Inferred: `paid_on` is required; the recorded call and the SDK have it.
    """
    package = _package_of(inquiry, inquiry.ids["renewal"])
    data = clean(inquiry.payload, LEGACY)
    package.renewals[inquiry.ids["renewal"]]["paid_on"] = data["paid_on"]
    _confirm(inquiry, package, inquiry.ids["renewal"], {})
    return Answer(202)


def opt_out_of_renewal(inquiry: Inquiry) -> Answer:
    """POST renewals/{package}/opt_out/. Inferred: 204, which the SDK treats as a success."""
    package = inquiry.package()
    data = clean(inquiry.payload, OPT_OUT)
    renewing.decline(inquiry, package)
    package.partner_metadata |= data.get("partner_metadata") or {}
    inquiry.save(package)
    return Answer(204)


def _confirm(inquiry: Inquiry, package: Package, renewal_id: str, data: dict[str, Any]) -> None:
    at_top = [{key: value for key, value in data.items() if key != "quotes"}]
    changes = [*data.get("quotes", []), *(item for item in at_top if "id" in item)]
    renewing.confirm(inquiry, package, renewal_id, changes)
    for quote in package.booked:
        if quote.instalment_plan and not quote.instalments:
            plans.start(package, quote, inquiry.world.clock.now())
    inquiry.save(package)
    inquiry.notify(package, "BOOKING_UPDATED")


def _package_of(inquiry: Inquiry, renewal_id: str) -> Package:
    package_id = inquiry.world.store.find_renewal(renewal_id)
    package = inquiry.world.store.find_package(package_id) if package_id else None
    if package is None or package.partner != inquiry.partner:
        raise not_found(renewing.MISSING)
    return package


def shape(
    site: str, package: Package, quotes: list[Quote], renewal_id: str, now: datetime
) -> dict[str, Any]:
    """Return the price to charge: the booking's keys, with only the quotes of the next period.

    Inferred: all keys except `renewal_id` and `quotes`; the page's sample is cut off after them.
    """
    return {
        "renewal_id": renewal_id,
        **head(site, package, total(quotes)),
        "quotes": [in_booking(site, package, quote, now) for quote in quotes],
        "coi": certificate(site, package),
        "account_url": account(site, package),
        "policyholder": booking_shape.policyholder(package),
        **booking_shape.totals(quotes, package.currency),
    }
