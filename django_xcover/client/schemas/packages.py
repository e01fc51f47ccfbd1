"""Quote packages and bookings as typed objects.

One reader serves both, because they are the same object at XCover: the booking keeps the id of its
quote package, and the policy that of its quote. Statuses and unknown fields are kept unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from django_xcover.client.errors import NO_FIELD, UnexpectedAnswer
from django_xcover.client.schemas import fields as wire
from django_xcover.client.schemas.fields import Fields

LONGEST_PLAN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class InstalmentPlan:
    """A way to pay in instalments.

    `name` is sent with the booking, `amount` is the total price.
    """

    name: str
    label: str
    amount: Decimal | None
    first_instalment_amount: Decimal | None


@dataclass(frozen=True, slots=True, kw_only=True)
class QuoteAnswer:
    """One quote, or one policy of a booking, with amounts in the package's currency.

    `key` is its key in a quote response, None in a booking. It can change; `quote_id` does not.
    """

    key: str | None
    quote_id: str
    status: str
    price: Decimal
    price_formatted: str
    policy_type: str
    policy_name: str
    policy_start_date: datetime | None
    policy_end_date: datetime | None
    duration: timedelta | None
    pds_url: str = field(repr=False)
    cover_amount: Decimal | None
    cover_amount_formatted: str
    confirmed_at: datetime | None
    cancelled_at: datetime | None
    can_be_cancelled: bool | None
    is_renewable: bool
    instalment_plans: tuple[InstalmentPlan, ...]
    discount_price: Decimal | None = None
    discount_amount: Decimal | None = None
    raw: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageAnswer:
    """A quote package or a booking, with its quotes in the order of their keys.

    `failed` maps the key of each item that XCover could not quote to its error (None without one).
    It is empty if every item was quoted. Fields of bookings are "" or None in a quote package.
    `repr()` leaves out links with tokens, the e-mail address and `raw`.
    """

    package_id: str
    status: str
    currency: str
    total_price: Decimal | None
    quotes: tuple[QuoteAnswer, ...]
    failed: Mapping[str, Any] = field(repr=False)
    created_at: datetime | None
    updated_at: datetime | None
    pds_url: str = field(repr=False)
    coi_url: str = field(repr=False)
    coi_pdf: str = field(repr=False)
    account_url: str = field(repr=False)
    partner_transaction_id: str | None
    policyholder_email: str = field(repr=False)
    bundle_price: Decimal | None = None
    bundle_discount_amount: Decimal | None = None
    bundle_discount_percent: Decimal | None = None
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def has_list(self) -> bool:
        """Return whether the quotes are a list, as in bookings."""
        return isinstance(self.raw.get("quotes"), list)

    @property
    def places(self) -> Mapping[str, int]:
        """Return the position of each quote by its id, for a list and for an object with keys."""
        quotes = self.raw.get("quotes")
        if isinstance(quotes, list):
            return {quote["id"]: place for place, quote in enumerate(quotes) if quote is not None}
        keys = {quote.quote_id: quote.key or "" for quote in self.quotes}
        return {key: int(text) for key, text in keys.items() if text.isascii() and text.isdigit()}

    @property
    def total(self) -> Decimal:
        """Return `total_price`, or the sum of the prices if XCover leaves it out."""
        if self.total_price is not None:
            return self.total_price
        return sum((quote.price for quote in self.quotes), Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class FastQuoteAnswer:
    """Prices that XCover does not store: there is no package, and these quotes cannot be booked.

    `fast_quote_id` is used to opt out; it is "" if XCover sent none. A quote's `key` is the index
    of its item in the request.
    """

    fast_quote_id: str
    currency: str
    quotes: tuple[QuoteAnswer, ...]
    failed: Mapping[str, Any] = field(repr=False)
    raw: Mapping[str, Any] = field(repr=False)


def fast_quote_from_wire(answer: Mapping[str, object]) -> FastQuoteAnswer:
    """Read the response to a fast quote. Raise UnexpectedAnswer naming a malformed field.

    Only `currency` and `quotes` are documented (Quotes API: fast quote), so only they are required.
    """
    fields = Fields.of(answer)
    places = [(key or str(n), quote) for n, (key, quote) in enumerate(_places(fields))]
    return FastQuoteAnswer(
        fast_quote_id=fields.optional_id("fast_quote_id"),
        currency=currency_of(fields),
        quotes=tuple(_unstored(quote, key) for key, quote in places if quote is not None),
        failed=MappingProxyType(_failed(fields, list(places))),
        raw=answer,
    )


def package_from_wire(answer: Mapping[str, object]) -> PackageAnswer:
    """Read a quote package or a booking. Raise UnexpectedAnswer naming a malformed field."""
    fields = Fields.of(answer)
    places = list(_places(fields))
    coi = fields.below("coi")
    return PackageAnswer(
        package_id=fields.id("id"),
        status=fields.word("status"),
        currency=currency_of(fields),
        total_price=fields.amount("total_price"),
        quotes=distinct(
            tuple(quote_from(quote, key) for key, quote in places if quote is not None)
        ),
        failed=MappingProxyType(_failed(fields, places)),
        created_at=fields.moment("created_at"),
        updated_at=fields.moment("updated_at"),
        pds_url=fields.text("pds_url"),
        coi_url=coi.text("url"),
        coi_pdf=coi.text("pdf"),
        account_url=fields.text("account_url"),
        partner_transaction_id=fields.text("partner_transaction_id") or None,
        policyholder_email=fields.below("policyholder").text("email"),
        bundle_price=fields.amount("bundle_price"),
        bundle_discount_amount=fields.amount("bundle_discount_amount"),
        bundle_discount_percent=fields.amount("bundle_discount_percent"),
        raw=answer,
    )


booking_from_wire = package_from_wire


def status_from_wire(answer: Mapping[str, object]) -> str:
    """Return only the status of a package or a booking, or "" if it has none."""
    status = answer.get("status")
    return status if isinstance(status, str) else ""


def quote_from(fields: Fields, key: str | None) -> QuoteAnswer:
    """Return one quote of a package, or one policy of a booking."""
    policy = fields.below("policy")
    return QuoteAnswer(
        key=key,
        quote_id=fields.id("id"),
        status=fields.word("status"),
        price=fields.required(wire.amount, "price"),
        price_formatted=fields.text("price_formatted"),
        policy_type=policy.text("policy_type"),
        policy_name=policy.text("policy_name"),
        policy_start_date=fields.moment("policy_start_date"),
        policy_end_date=fields.moment("policy_end_date"),
        duration=fields.duration("duration"),
        pds_url=fields.text("pds_url"),
        cover_amount=fields.amount("cover_amount"),
        cover_amount_formatted=fields.text("cover_amount_formatted"),
        confirmed_at=fields.moment("confirmed_at"),
        cancelled_at=fields.moment("cancelled_at"),
        can_be_cancelled=fields.flag("can_be_cancelled"),
        is_renewable=bool(fields.flag("is_renewable")),
        instalment_plans=tuple(_plan(row) for row in fields.rows("instalment_plans")),
        discount_price=fields.amount("discount_price"),
        discount_amount=fields.amount("discount_amount"),
        raw=fields.data,
    )


def distinct(quotes: tuple[QuoteAnswer, ...]) -> tuple[QuoteAnswer, ...]:
    """Return `quotes`. Raise UnexpectedAnswer for a repeated id, which would be charged twice."""
    if len({quote.quote_id for quote in quotes}) < len(quotes):
        raise UnexpectedAnswer.at("quotes", "has one id twice")
    return quotes


def _unstored(fields: Fields, key: str) -> QuoteAnswer:
    """Read a quote of which id and status are optional, because XCover does not store it."""
    present = {name: value for name, value in fields.data.items() if value is not None}
    return quote_from(Fields({"id": key, "status": "RECEIVED", **present}, fields.path), key)


def currency_of(fields: Fields) -> str:
    """Return the response's ISO 4217 currency code. Raise UnexpectedAnswer if it is not one."""
    code = fields.word("currency")
    if not (len(code) == 3 and code.isascii() and code.isalpha() and code.isupper()):
        raise UnexpectedAnswer.at(fields.at("currency"), "is not an ISO 4217 code")
    return code


def _places(fields: Fields) -> Iterator[tuple[str | None, Fields | None]]:
    """Yield each quote with its key. Quote responses have an object of quotes, bookings a list."""
    quotes = fields.data.get("quotes")
    if isinstance(quotes, Mapping):
        for key in sorted(quotes, key=_numerically):
            yield key, _quote_fields(fields, quotes[key], key)
    elif isinstance(quotes, list):
        for place, quote in enumerate(quotes):
            key = None if quote is not None else str(place)
            yield key, _quote_fields(fields, quote, str(place))
    else:
        raise UnexpectedAnswer.at(fields.at("quotes"), "is neither an object nor a list")


def _quote_fields(fields: Fields, quote: Any, place: str) -> Fields | None:
    return None if quote is None else Fields.of(quote, f"{fields.at('quotes')}.{place}")


def _numerically(key: str) -> tuple[bool, int, str]:
    number = key.isascii() and key.isdigit() and len(key) < 10
    return (not number, int(key) if number else 0, key)


def _failed(fields: Fields, places: list[tuple[str | None, Fields | None]]) -> dict[str, Any]:
    """Return an entry for each null quote and for each entry of `errors`."""
    missing: dict[str, Any] = {str(key): None for key, quote in places if quote is None}
    errors = fields.data.get("errors")
    if isinstance(errors, Mapping):
        return {**missing, **errors}
    return {**missing, NO_FIELD: errors} if errors else missing


def _plan(fields: Fields) -> InstalmentPlan:
    return InstalmentPlan(
        name=fields.word("name", longest=LONGEST_PLAN),
        label=fields.text("label"),
        amount=fields.amount("amount"),
        first_instalment_amount=fields.amount("first_instalment_amount"),
    )
