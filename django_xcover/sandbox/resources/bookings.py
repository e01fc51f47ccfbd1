"""Bookings: create, instant booking, confirm, read, list, e-mails (Quotes API: booking)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django_xcover.sandbox import ids, quoting, transitions
from django_xcover.sandbox.context import Answer, Inquiry
from django_xcover.sandbox.http.errors import Invalid, package_not_found
from django_xcover.sandbox.packages import Package, Quote
from django_xcover.sandbox.products.base import NO_POLICY
from django_xcover.sandbox.resources.quotes import CREATE, new_package
from django_xcover.sandbox.serializers import booking as booking_shape
from django_xcover.sandbox.tariff import plans
from django_xcover.sandbox.tariff.pricing import COUNTRIES
from django_xcover.sandbox.validation import (
    INSURED,
    POLICYHOLDER,
    Field,
    any_text,
    boolean,
    clean,
    list_of,
    metadata,
    nested,
    one_of,
    text,
)

# Recorded: `next` and `previous` always have this host, regardless of the requested one.
LIST_HOST = "https://eu-central-1.staging.api.xcover.com"
PAGE = 10  # Inferred: the default limit was not observed.
CHOSEN: dict[str, Field] = {
    "id": Field(text, required=True),
    "insured": Field(list_of(nested(INSURED)), null=True),
    "instalment_plan": Field(one_of(plans.PLANS), null=True),
    "first_instalment_paid": Field(boolean),
}
EXTRAS: dict[str, Field] = {
    "policyholder": Field(nested(POLICYHOLDER), required=True),
    "partner_transaction_id": Field(any_text, null=True),
    "partner_metadata": Field(metadata, null=True),
    "require_payment_confirmation": Field(boolean),
    "customer_token_id": Field(text, null=True),
}
BOOK: dict[str, Field] = {"quotes": Field(list_of(nested(CHOSEN)), required=True), **EXTRAS}
# Recorded: instant booking goes without `customer_country`. Inferred: the policyholder's is used.
INSTANT: dict[str, Field] = {
    **CREATE,
    "customer_country": Field(one_of(COUNTRIES)),
    **EXTRAS,
}


def create_booking(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/: 200, CONFIRMED or PENDING_PAYMENT."""
    package = inquiry.package()
    data = clean(inquiry.payload, BOOK)
    chosen = {item["id"]: _choose(package, item) for item in data["quotes"]}
    _book(inquiry, package, list(chosen.values()), data)
    return _shown(inquiry, package, 200)


def instant_booking(inquiry: Inquiry) -> Answer:
    """POST instant_booking/: quote and book in one call, 200.

    Inferred: the call is refused if no item could be quoted, because there is nothing to book.
    """
    data = clean(inquiry.payload, INSTANT)
    country = data.get("customer_country") or data["policyholder"]["country"]
    package = new_package(inquiry, {**data, "customer_country": country})
    chosen = [quote for quote in package.in_order if quote.priced]
    if not chosen:
        raise Invalid([NO_POLICY])
    package.booking_errors = _errors([quote for quote in package.quotes if quote.failure])
    _book(inquiry, package, chosen, data)
    return _shown(inquiry, package, 200)


def confirm_booking(inquiry: Inquiry) -> Answer:
    """PUT bookings/{package}/confirm: 201, PENDING_PAYMENT becomes CONFIRMED."""
    package = inquiry.package()
    clean(inquiry.payload, {})
    package.status = transitions.moved(package.status, "confirm")
    for quote in package.booked:
        _set_status(inquiry, quote, package.status)
    package.updated_at = inquiry.stamp()
    inquiry.save(package)
    inquiry.notify(package, "BOOKING_UPDATED")
    return _shown(inquiry, package, 201)


def get_booking(inquiry: Inquiry) -> Answer:
    """GET bookings/{package}/: the booking, the partner and the customer's language.

    Inferred: a package that is not booked is a 404 here; `quotes/` shows it.
    """
    package = inquiry.package()
    if package.status not in transitions.BOOKED:
        raise package_not_found()
    for quote in package.booked if inquiry.has_effect("wrong_price") else ():
        quoting.price(inquiry, package, quote)  # only in the response, because this is a copy
    shown = _shown(inquiry, package, 200)
    # Recorded: `en` even if the call requested `en-us`.
    language = package.language[:2].lower()
    partner = booking_shape.partner(package.partner)
    return Answer(200, {**shown.body, "partner": partner, "customer_language": language})


def list_bookings(inquiry: Inquiry) -> Answer:
    """GET bookings/?limit=&offset=: a page of confirmed and cancelled bookings.

    Recorded: the order is neither newest first nor by `updated_at`. Here: the order of quoting.
    """
    world = inquiry.world
    limit = _count(inquiry.query.get("limit"), PAGE) or PAGE
    offset = _count(inquiry.query.get("offset"), 0)
    total = world.store.count_bookings(inquiry.partner)
    packages = world.store.bookings(inquiry.partner, limit=limit, offset=offset)
    now = world.clock.now()
    body = {
        "count": total,
        "next": _page(inquiry, limit, offset + limit) if offset + limit < total else None,
        "previous": _page(inquiry, limit, max(offset - limit, 0)) if offset else None,
        "results": [booking_shape.shape(world.site_url, package, now) for package in packages],
    }
    return Answer(200, body)


def _choose(package: Package, item: dict[str, Any]) -> Quote:
    """Return the chosen quote with the values from the booking.

    Inferred: an id that is not in the package is refused; quotes left out are not booked.
    """
    quote = package.quote(item["id"])
    if quote is None:
        raise Invalid({"quotes": [f"Quote {item['id']} does not exist"]})
    insured = item.get("insured") or []
    quote.insured = [
        {"id": ids.new_uuid(), **person, "region": person.get("region")} for person in insured
    ] or None
    quote.instalment_plan = item.get("instalment_plan")
    plans.refuse(quote, quote.instalment_plan)
    return quote


def _book(inquiry: Inquiry, package: Package, chosen: list[Quote], data: dict[str, Any]) -> None:
    move = "book_unpaid" if data.get("require_payment_confirmation") else "book"
    package.status = transitions.moved(package.status, move)
    for quote in _carried_out(inquiry, package, chosen):
        if inquiry.has_effect("wrong_price"):
            quoting.price(inquiry, package, quote)
        _set_status(inquiry, quote, package.status)
        plans.start(package, quote, inquiry.world.clock.now())
    _charge(inquiry, package, data)
    person = data["policyholder"]
    # Recorded: a missing region is the package's, null stays null.
    package.policyholder = {**person, "region": person.get("region", package.region)}
    package.partner_transaction_id = (
        data.get("partner_transaction_id") or package.partner_transaction_id
    )
    package.partner_metadata |= data.get("partner_metadata") or {}
    package.updated_at = inquiry.stamp()
    inquiry.save(package)
    inquiry.notify(package, "BOOKING_CREATED")


def _charge(inquiry: Inquiry, package: Package, data: dict[str, Any]) -> None:
    """Charge the card of a dual payment. Inferred: a declined card is a 422, and nothing is booked.

    Inferred: with instalments, the first one is charged.
    """
    token = data.get("customer_token_id")
    if not token:
        return
    inquiry.world.xpay.charge(
        token,
        policyholder_email=data["policyholder"]["email"],
        package=package.id,
        amount=sum((_due_now(quote) for quote in package.booked), Decimal(0)),
        currency=package.currency,
    )


def _due_now(quote: Quote) -> Decimal:
    first: Decimal = quote.instalments[0]["amount"] if quote.instalments else quote.price
    return first


def _carried_out(inquiry: Inquiry, package: Package, chosen: list[Quote]) -> list[Quote]:
    """Return the quotes to book: all, unless a planned fault makes the first one fail."""
    if not inquiry.has_effect("missing_policy"):
        return chosen
    lost, *others = chosen
    if inquiry.effect is not None and inquiry.effect.how == "null":
        lost.status, lost.failure = transitions.FAILED, "The policy could not be booked."
        package.booking_errors |= _errors([lost])
    return others


def _errors(failed: list[Quote]) -> dict[str, Any]:
    return {
        str(quote.position): {"message": quote.failure, "type": "quote_creation_failure"}
        for quote in failed
    }


def _set_status(inquiry: Inquiry, quote: Quote, status: str) -> None:
    quote.status = status
    if status == transitions.CONFIRMED:
        quote.confirmed_at = inquiry.stamp()
    quote.updated_at = inquiry.stamp()


def _shown(inquiry: Inquiry, package: Package, status: int) -> Answer:
    now = inquiry.world.clock.now()
    return Answer(status, booking_shape.shape(inquiry.world.site_url, package, now))


def _count(text_: str | None, otherwise: int) -> int:
    return int(text_) if text_ and text_.isdecimal() else otherwise


def _page(inquiry: Inquiry, limit: int, offset: int) -> str:
    """Return the URL of a page. `offset` is left out if it is zero (recorded)."""
    query = urlencode({"limit": limit, **({"offset": offset} if offset else {})})
    return f"{LIST_HOST}/xcover/partners/{inquiry.partner}/bookings/?{query}"


# Only BOOKING_CANCELLED was recorded. Inferred: the other events have the names of the webhooks.
EVENTS = {
    "BOOKING_CREATED": transitions.CONFIRMED,
    "BOOKING_UPDATED": transitions.CONFIRMED,
    "BOOKING_CANCELLED": transitions.CANCELLED,
}
DEFAULTS = {transitions.CONFIRMED: "BOOKING_CREATED", transitions.CANCELLED: "BOOKING_CANCELLED"}
FIELDS = {"event": Field(one_of(EVENTS))}


def send_email(inquiry: Inquiry) -> Answer:
    """POST bookings/{package}/send_email: 202, or 422 in the wrong status (recorded)."""
    package = inquiry.package()
    if package.status not in transitions.BOOKED:
        raise package_not_found()
    data = clean(inquiry.payload, FIELDS)
    event = data.get("event") or DEFAULTS.get(package.status, "BOOKING_CREATED")
    needed = EVENTS[event]
    if package.status != needed:
        raise Invalid([f"{event} email can be only triggered for {needed} bookings."])
    package.emails.append(event)
    inquiry.save(package)
    return Answer(202)
