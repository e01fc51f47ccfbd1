"""A booking, as all calls below `bookings/` return it, except cancellations (annex A.3, A.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django_xcover.sandbox import money, transitions
from django_xcover.sandbox.ids import account_id
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.serializers.package import account, certificate, head, in_booking, total

EMAILS = (
    ("booking-confirmation", 0),
    ("booking-cancellation", 2),
    ("booking-modification", 1),
    ("payment-failed", 8),
    ("booking-modification", 12),
)


def partner(code: str) -> dict[str, Any]:
    """Return the partner with its subsidiary, which has the same format.

    Recorded: the e-mail templates contain internal addresses, which clients should not store.
    """
    return {**_party(code), "subsidiary": _party(code)}


def _party(code: str) -> dict[str, Any]:
    return {
        "id": code,
        "slug": code.lower(),
        "name": f"Sandbox partner {code}",
        "title": f"Sandbox partner {code}",
        "logo": "https://static.xcover.example/partnerlogos/sandbox.png",
        "contact_url": "https://partner.example/contact",
        "partner_url": "https://partner.example",
        "help_center_url": "https://partner.example/help",
        "updated_at": "2021-11-02T03:30:28.635906Z",
        "xpay_refund_enabled": True,
        "emails": [_email(slug, event) for slug, event in EMAILS],
        "attributes": {},
    }


def _email(slug: str, event: int) -> dict[str, Any]:
    return {
        "id": account_id(f"{slug}-{event}"),
        "from_email": "XCover.com <hello@xcover.example>",
        "bcc_email": "archive@xcover.example",
        "email_slug": slug,
        "email_version": 1,
        "event_name": event,
        "include_partner_in_context": True,
        "attach_coi": True,
        "auto_send": None,
        "enable_expression": None,
    }


PERSON = (
    "first_name", "middle_name", "last_name", "email", "phone", "country", "age", "address1",
    "address2", "city", "postcode", "region", "secondary_email", "birth_date", "company",
)  # fmt: skip
# Keys of 2026. Inferred: their values.
LATER: dict[str, Any] = {"gender": None, "company_reg_id": None, "fields_allowed_to_update": []}


def shape(site: str, package: Package, now: datetime) -> dict[str, Any]:
    """Return the booking, whose `quotes` is a list of only the booked quotes.

    `errors` is only present if something failed (Quotes API: a good booking has none).
    """
    booked = package.booked
    # Quotes whose booking failed are shown as null.
    listed = [q for q in package.in_order if q.is_booked or (q.failure and q.priced)]
    errors = {"errors": package.booking_errors} if package.booking_errors else {}
    return {
        **head(site, package, total(booked)),
        "quotes": [in_booking(site, package, quote, now) for quote in listed],
        "coi": certificate(site, package),
        "account_url": account(site, package),
        "policyholder": policyholder(package),
        **totals(booked, package.currency),
        # Of 2026. Inferred: their place and values.
        **dict.fromkeys(("experiment", "sign_up_url", "booking_agent", "fast_quote_id")),
        **errors,
    }


def policyholder(package: Package) -> dict[str, Any]:
    """Return the policyholder with all keys, null if unknown."""
    known = package.policyholder or {}
    return {**{key: known.get(key) for key in PERSON}, "allow_updates": False, **LATER}


def totals(quotes: list[Quote], currency: str) -> dict[str, Any]:
    """Return the tax and premium of the policies in force."""
    alive = [q.priced for q in quotes if q.priced and q.status not in transitions.OVER]
    tax = sum((priced.total_tax for priced in alive), Decimal(0))
    net = sum((priced.net for priced in alive), Decimal(0))
    return {
        **money.pair("total_tax", tax, currency),
        **money.pair("total_premium", net, currency),
    }


def with_differences(
    body: dict[str, Any], before: Mapping[str, Decimal], package: Package
) -> dict[str, Any]:
    """Add the differences, per quote and in total. `before` has the old prices by quote id."""
    currency = package.currency
    after = {quote.id: quote.price for quote in package.booked}
    changes = {quote_id: after[quote_id] - price for quote_id, price in before.items()}
    quotes = [
        quote and {**quote, **money.pair("price_diff", changes[quote["id"]], currency)}
        for quote in body["quotes"]
    ]
    change = sum(changes.values(), Decimal(0))
    return {**body, "quotes": quotes, **money.pair("total_price_diff", change, currency)}
