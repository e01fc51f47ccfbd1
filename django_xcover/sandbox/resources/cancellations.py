"""Cancel directly, or preview and confirm (Quotes API: cancellation workflow).

The response has its own format (annex A.5, A.6).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import datetimes, ids, money, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid, not_found
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.serializers import booking
from django_xcover.sandbox.serializers.booking import policyholder, totals
from django_xcover.sandbox.serializers.package import (
    certificate,
    partner_commission,
    policy,
    total,
    wording,
)
from django_xcover.sandbox.tariff import policy_rules
from django_xcover.sandbox.tariff.policy_rules import rule_for
from django_xcover.sandbox.validation import Field, any_text, boolean, clean, list_of, nested, text

CONFIRM_WITHIN = timedelta(hours=24)  # Recorded in 2021, even past the policy start.
ITEM: dict[str, Field] = {
    "id": Field(text, required=True),
    "reason_for_cancellation": Field(any_text, null=True),
}
CANCEL: dict[str, Field] = {
    "preview": Field(boolean),
    "quotes": Field(list_of(nested(ITEM))),
    "reason_for_cancellation": Field(any_text, null=True),
    "refund_required": Field(boolean),
}


def cancel_booking(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/cancel: 200, cancelled immediately or only previewed."""
    package = inquiry.package()
    transitions.moved(package.status, "cancel")
    data = clean(inquiry.payload, CANCEL)
    named = {item["id"]: item.get("reason_for_cancellation") for item in data.get("quotes", [])}
    reason = data.get("reason_for_cancellation")
    in_force = [quote for quote in package.booked if quote.status == transitions.CONFIRMED]
    reasons = named or {quote.id: reason for quote in in_force}
    _check(package, reasons, inquiry.world.clock.now())
    if data.get("preview"):
        return _preview(inquiry, package, reasons)
    now = inquiry.stamp()
    return _cancelled(inquiry, package, reasons, now, _refunds(package, reasons, now))


def confirm_cancellation(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/confirm_cancellation/{id}/: 200, with the preview's timestamps.

    Inferred: a used or unknown id is a 404, an expired one a 422. The refund is that of the
    preview, so a change of the booking invalidates the preview.
    """
    package = inquiry.package()
    previewed = package.cancellations.get(inquiry.ids["cancellation"])
    if previewed is None:
        raise not_found("Cancellation does not exist")
    clean(inquiry.payload, {})
    transitions.moved(package.status, "cancel")
    if inquiry.world.clock.now() > previewed["confirm_before"]:
        raise Invalid(["The cancellation had to be confirmed before its confirm_before."])
    if previewed["outdated"]:
        raise Invalid(["The booking has changed since this cancellation was previewed."])
    _check(package, previewed["reasons"], previewed["at"])
    del package.cancellations[inquiry.ids["cancellation"]]
    return _cancelled(inquiry, package, previewed["reasons"], previewed["at"], previewed["refunds"])


def _check(package: Package, reasons: dict[str, str | None], now: datetime) -> None:
    """Raise Invalid if a quote cannot be cancelled. Inferred: with one message per quote."""
    refused = []
    for quote_id in reasons:
        quote = package.quote(quote_id)
        if quote is None:
            refused.append(f"Quote {quote_id} does not exist")
        elif not policy_rules.can_be_cancelled(quote, now):
            refused.append(f"Quote {quote_id} can not be cancelled")
    if refused:
        raise Invalid(refused)


def _preview(inquiry: Inquiry, package: Package, reasons: dict[str, str | None]) -> Answer:
    now = inquiry.stamp()
    cancellation_id, confirm_before = ids.new_cancellation_id(), now + CONFIRM_WITHIN
    refunds = _refunds(package, reasons, now)
    package.cancellations[cancellation_id] = {
        "reasons": reasons,
        "at": now,
        "confirm_before": confirm_before,
        "refunds": refunds,
        "outdated": False,
    }
    for quote in package.quotes:
        if quote.id in reasons:
            quote.updated_at = inquiry.stamp()  # Recorded: a preview updates and stores it.
    inquiry.save(package)
    outcome = [_without(quote, refunds) for quote in package.booked]
    body = shape(
        inquiry.world.site_url,
        package,
        outcome,
        set(reasons),
        status=_status_after(outcome),
        cancellation_id=cancellation_id,
        confirm_before=confirm_before,
    )
    return Answer(200, body)


def _cancelled(
    inquiry: Inquiry,
    package: Package,
    reasons: dict[str, str | None],
    at: datetime,
    refunds: dict[str, Decimal],
) -> Answer:
    for quote in package.quotes:
        if quote.id in reasons:
            quote.refund = refunds[quote.id]
            quote.status, quote.cancelled_at = transitions.CANCELLED, at
            quote.reason_for_cancellation = reasons[quote.id]
            quote.updated_at = inquiry.stamp()
    package.status = _status_after(package.booked)
    package.updated_at = inquiry.stamp()
    inquiry.save(package)
    # Inferred: while a policy is left the booking is updated, not cancelled.
    whole = package.status == transitions.CANCELLED
    inquiry.notify(package, "BOOKING_CANCELLED" if whole else "BOOKING_UPDATED")
    body = shape(
        inquiry.world.site_url, package, package.booked, set(reasons), status=package.status
    )
    return Answer(200, body)


def _refunds(package: Package, reasons: dict[str, str | None], at: datetime) -> dict[str, Decimal]:
    chosen = (quote for quote in package.booked if quote.id in reasons)
    return {
        quote.id: policy_rules.refund(quote, at, package.currency, package.country)
        for quote in chosen
    }


def _without(quote: Quote, refunds: dict[str, Decimal]) -> Quote:
    if quote.id not in refunds:
        return quote
    return replace(quote, status=transitions.CANCELLED, refund=refunds[quote.id])


def _status_after(quotes: list[Quote]) -> str:
    """Return the booking's status. Inferred: it is cancelled once all its quotes are."""
    left = any(quote.status == transitions.CONFIRMED for quote in quotes)
    return transitions.CONFIRMED if left else transitions.CANCELLED


def shape(
    site: str,
    package: Package,
    outcome: list[Quote],
    affected: set[str],
    *,
    status: str,
    cancellation_id: str | None = None,
    confirm_before: datetime | None = None,
) -> dict[str, Any]:
    """Return the cancellation of the `affected` quote ids.

    `outcome` has all booked quotes as they are after it.

    Recorded: a preview already has the status CANCELLED and a total of zero.
    """
    cancelled = [quote for quote in outcome if quote.id in affected]
    refund = sum((quote.refund or Decimal(0) for quote in cancelled), Decimal(0))
    return {
        "id": package.id,
        "status": status,
        "quotes": [_quote(site, package, quote) for quote in cancelled],
        "policyholder": policyholder(package),
        "pds_url": wording(site, package),
        "coi": certificate(site, package),
        "created_at": datetimes.stamp(package.created_at),
        "updated_at": datetimes.stamp(package.updated_at),
        **money.pair("total_price", total(outcome), package.currency),
        **money.pair("total_refund", refund, package.currency),
        **totals(outcome, package.currency),
        "currency": package.currency,
        "cancellation_id": cancellation_id,
        "confirm_before": datetimes.stamp(confirm_before),
        "partner": booking.partner(package.partner),
    }


def _quote(site: str, package: Package, quote: Quote) -> dict[str, Any]:
    """Return one cancelled quote. Its dates end in `Z`, and the commission is null."""
    priced = quote.priced
    if priced is None or quote.confirmed_at is None:
        raise RuntimeError(f"Quote {quote.id} is cancelled but was never booked.")
    cools_off = rule_for(quote.policy_type, package.country, quote.confirmed_at).period
    return {
        "id": quote.id,
        "policy_start_date": datetimes.zulu(priced.policy_start),
        "policy_end_date": datetimes.zulu(priced.policy_end) if priced.policy_end else None,
        "policy_cancellation_date": datetimes.stamp(quote.cancelled_at),
        "policy_coolingoff_date": datetimes.stamp(quote.confirmed_at + cools_off),
        "status": transitions.CANCELLED,
        "price": money.number(quote.price),
        "refund_value": money.number(quote.refund or Decimal(0)),
        # Recorded: the net premium without the partner's commission (398.15 = 568.79 - 170.64),
        # not deducted from the refund; its meaning is not documented.
        "adjustment_fee": money.number(priced.net - partner_commission(priced, package.currency)),
        "policy": policy(site, package, quote, named=False),
        "insured": quote.insured,
        "created_at": datetimes.stamp(quote.created_at),
        "confirmed_at": datetimes.stamp(quote.confirmed_at),
        "updated_at": datetimes.stamp(quote.updated_at),
        "cancelled_at": datetimes.stamp(quote.cancelled_at),
        "commission": None,
    }
