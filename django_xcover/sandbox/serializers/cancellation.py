"""A cancellation or its preview, which has its own format (annex A.5, A.6)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import datetimes, money, transitions
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.serializers import links, partner
from django_xcover.sandbox.serializers.booking import policyholder, totals
from django_xcover.sandbox.serializers.package import total
from django_xcover.sandbox.serializers.quote import partner_commission, policy
from django_xcover.sandbox.tariff.cooling_off import rule_for


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
        "pds_url": links.wording(site, package),
        "coi": links.certificate(site, package),
        "created_at": datetimes.stamp(package.created_at),
        "updated_at": datetimes.stamp(package.updated_at),
        **money.pair("total_price", total(outcome), package.currency),
        **money.pair("total_refund", refund, package.currency),
        **totals(outcome, package.currency),
        "currency": package.currency,
        "cancellation_id": cancellation_id,
        "confirm_before": datetimes.stamp(confirm_before),
        "partner": partner.shape(package.partner),
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
