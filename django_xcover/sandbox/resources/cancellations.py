"""Cancel directly, or preview and confirm (Quotes API: cancellation workflow)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from django_xcover.sandbox import ids, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid, not_found
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.serializers import cancellation as cancellation_shape
from django_xcover.sandbox.tariff import policy_rules
from django_xcover.sandbox.validation import (
    Field,
    any_text,
    boolean,
    clean,
    list_of,
    nested,
    text,
)

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
    reasons = named or {quote.id: reason for quote in _alive(package)}
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


def _alive(package: Package) -> list[Quote]:
    return [quote for quote in package.booked if quote.status == transitions.CONFIRMED]


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
    body = cancellation_shape.shape(
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
    inquiry.notify(package, _event(package))
    body = cancellation_shape.shape(
        inquiry.world.site_url, package, package.booked, set(reasons), status=package.status
    )
    return Answer(200, body)


def _event(package: Package) -> str:
    """Return the event. Inferred: while a policy is left the booking is updated, not cancelled."""
    whole = package.status == transitions.CANCELLED
    return "BOOKING_CANCELLED" if whole else "BOOKING_UPDATED"


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
