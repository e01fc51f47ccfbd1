"""A quoted renewal: "an updated booking" with a `renewal_id` (Quotes API: renewal workflow)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.serializers import booking, links
from django_xcover.sandbox.serializers.package import head, total
from django_xcover.sandbox.serializers.quote import in_booking


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
        "coi": links.certificate(site, package),
        "account_url": links.account(site, package),
        "policyholder": booking.policyholder(package),
        **booking.totals(quotes, package.currency),
    }
