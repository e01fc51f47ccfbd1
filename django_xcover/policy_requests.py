"""PUBLIC: one function for each kind of policy that builds its `PolicyRequest`.

The arguments have the names of XCover's fields, and `docs/policy-types.md` says where each field
comes from. XCover refuses the quotes of the whole cart for one wrong field, so these functions
refuse it before it is sent: they raise `InvalidPolicyRequest`, which names each wrong argument.
What only XCover can decide (is this parcel too valuable, has this trip begun?) isn't checked here.
Such an item gets no price, and the others are offered.

Amounts are `Money` or Decimal. Use `Money`: it is checked against the currency of the
`QuoteRequest`. All other arguments may have the types that `PolicyRequest` accepts. Arguments that
are None or "" are not sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision

from django_xcover import values
from django_xcover.exceptions import InvalidPolicyRequest, UnusableValue
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money, PolicyRequest
from django_xcover.values import COUNTRY_CODES

__all__ = ["ParcelProduct", "event_ticket", "parcel", "product", "renters", "travel"]

Price = Money | Decimal
# What the local XCover accepts. Inferred: no page names a limit.
HIGHEST_COUNT = 1_000_000
HIGHEST_AMOUNT = Decimal(10) ** 12
LONGEST_PRODUCT_TERM = 60
LONGEST_RENTERS_TERM = 12


@clears_frames
def event_ticket(
    *,
    reference: str,
    label: str = "",
    event_name: str,
    event_datetime: datetime,
    tickets: Sequence[Price] = (),
    number_of_tickets: int | None = None,
    event_location: str = "",
    event_country: str = "",
    event_city: str = "",
    event_address: str = "",
    event_postcode: str = "",
    resale_ticket: bool | None = None,
    total_ticket_price: Price | None = None,
    total_event_cost: Price | None = None,
    policy_type: str = "event_ticket_protection",
    policy_type_version: int | str = 1,
    policy_start_date: datetime | None = None,
    partner_price: Price | None = None,
) -> PolicyRequest:
    """Return the request to insure the tickets of one event.

    `tickets` are the prices of the tickets, one for each: `[price] * quantity`. Their number is
    `number_of_tickets` if it isn't given, which may be higher (recorded) but not lower.
    `total_ticket_price` is the older field for their sum; one of both is required.
    """
    fields = _Fields("event_ticket")
    fields.text("event_name", event_name, required=True)
    fields.moment("event_datetime", event_datetime, required=True, only_datetime=True)
    fields.amounts("tickets", "price", tickets)
    fields.amount("total_ticket_price", total_ticket_price)
    is_priced = bool(tickets) or total_ticket_price is not None
    if not is_priced:
        fields.refuse("tickets", "is required: give the price of each ticket")
    counted = len(tickets) or None if number_of_tickets is None else number_of_tickets
    fields.count("number_of_tickets", counted, required=is_priced)
    fields.same_tickets()
    for name, text in (
        ("event_location", event_location),
        ("event_city", event_city),
        ("event_address", event_address),
        ("event_postcode", event_postcode),
    ):
        fields.text(name, text)
    fields.country("event_country", event_country)
    fields.flag("resale_ticket", resale_ticket)
    fields.amount("total_event_cost", total_event_cost)
    fields.amount("partner_price", partner_price)
    fields.start(policy_start_date)
    fields.in_order("policy_start_date", "event_datetime")
    return fields.request(reference, label, policy_type, policy_type_version)


@clears_frames
def travel(
    *,
    reference: str,
    label: str = "",
    trip_start_date: datetime | date,
    trip_end_date: datetime | date,
    destination_country: str,
    number_of_adults: int,
    number_of_children: int | None = None,
    number_of_infants: int | None = None,
    departure_country: str = "",
    total_tickets_price: Price | None = None,
    is_return: bool | None = None,
    sales_channel: str = "",
    policy_type: str = "comprehensive_travel_insurance",
    policy_type_version: int | str = 1,
    policy_start_date: datetime | None = None,
    policy_end_date: datetime | date | None = None,
    partner_price: Price | None = None,
) -> PolicyRequest:
    """Return the request to insure a trip: a flight, a stay, or both.

    `total_tickets_price` is what the trip cost, which is paid back if it has to be cancelled. A
    trip within one day needs datetimes.
    """
    fields = _Fields("travel")
    fields.moment("trip_start_date", trip_start_date, required=True)
    fields.moment("trip_end_date", trip_end_date, required=True)
    fields.country("destination_country", destination_country, required=True)
    fields.country("departure_country", departure_country)
    fields.count("number_of_adults", number_of_adults, required=True)
    fields.count("number_of_children", number_of_children, lowest=0)
    fields.count("number_of_infants", number_of_infants, lowest=0)
    fields.amount("total_tickets_price", total_tickets_price)
    fields.flag("is_return", is_return)
    fields.text("sales_channel", sales_channel)
    fields.amount("partner_price", partner_price)
    fields.start(policy_start_date)
    fields.moment("policy_end_date", policy_end_date)
    fields.in_order("policy_start_date", "trip_start_date")
    fields.in_order("policy_start_date", "policy_end_date")
    fields.in_order("trip_start_date", "trip_end_date", may_be_equal=False)
    return fields.request(reference, label, policy_type, policy_type_version)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParcelProduct:
    """One kind of thing in a parcel. `value` is what all pieces of it are worth."""

    sku: str
    value: Price


@clears_frames
def parcel(
    *,
    reference: str,
    label: str = "",
    from_country: str,
    to_country: str,
    cover_amount: Price | None = None,
    parcel_products: Sequence[ParcelProduct] = (),
    ship_date: datetime | date | None = None,
    ship_cost: Price | None = None,
    from_zipcode: str = "",
    to_zipcode: str = "",
    from_company_name: str = "",
    policy_type: str = "parcel_insurance",
    policy_type_version: int | str = 1,
    policy_start_date: datetime | None = None,
    partner_price: Price | None = None,
) -> PolicyRequest:
    """Return the request to insure a parcel on its way.

    Its value is `cover_amount`, or the sum of `parcel_products`; one of both is required. Until
    `ship_date` the cover can be cancelled, as when the label is voided.
    """
    fields = _Fields("parcel")
    fields.country("from_country", from_country, required=True)
    fields.country("to_country", to_country, required=True)
    fields.amount("cover_amount", cover_amount)
    fields.products(parcel_products)
    fields.worth(cover_amount, parcel_products)
    fields.amount("ship_cost", ship_cost)
    fields.moment("ship_date", ship_date)
    fields.text("from_zipcode", from_zipcode)
    fields.text("to_zipcode", to_zipcode)
    fields.text("from_company_name", from_company_name)
    fields.amount("partner_price", partner_price)
    fields.start(policy_start_date)
    return fields.request(reference, label, policy_type, policy_type_version)


@clears_frames
def renters(
    *,
    reference: str,
    label: str = "",
    address1: str,
    contents_value: Price,
    address2: str = "",
    city: str = "",
    postcode: str = "",
    region: str = "",
    property_type: str = "",
    number_of_residents: int | None = None,
    number_of_bedrooms: int | None = None,
    term: int | None = None,
    policy_type: str = "renters_insurance",
    policy_type_version: int | str = 1,
    policy_start_date: datetime | None = None,
    partner_price: Price | None = None,
) -> PolicyRequest:
    """Return the request to insure what somebody keeps in a rented home.

    `contents_value` is what it would cost to buy everything again, `term` the months of one period.
    """
    fields = _Fields("renters")
    fields.text("address1", address1, required=True)
    for name, text in (
        ("address2", address2),
        ("city", city),
        ("postcode", postcode),
        ("region", region),
        ("property_type", property_type),
    ):
        fields.text(name, text)
    fields.amount("contents_value", contents_value, required=True)
    fields.count("number_of_residents", number_of_residents)
    fields.count("number_of_bedrooms", number_of_bedrooms)
    fields.count("term", term, highest=LONGEST_RENTERS_TERM)
    fields.amount("partner_price", partner_price)
    fields.start(policy_start_date)
    return fields.request(reference, label, policy_type, policy_type_version)


@clears_frames
def product(
    *,
    reference: str,
    label: str = "",
    category: str,
    name: str,
    description: str,
    price: Price,
    quantity: int | None = None,
    purchase_date: datetime | date | None = None,
    term: int | None = None,
    sku: str = "",
    brand: str = "",
    model: str = "",
    variant: str = "",
    condition: str = "",
    serial_number: str = "",
    policy_type: str = "product_insurance",
    policy_type_version: int | str = 1,
    policy_start_date: datetime | None = None,
    partner_price: Price | None = None,
) -> PolicyRequest:
    """Return the request to insure a product against damage, theft and breakdown.

    `price` is that of one piece, `term` the months of cover. A `serial_number` names one piece, so
    several pieces with one each need a request each. XCover names no list of categories or
    conditions: agree on them with your contact there.
    """
    fields = _Fields("product")
    fields.text("category", category, required=True)
    fields.text("name", name, required=True)
    fields.text("description", description, required=True)
    fields.amount("price", price, required=True)
    fields.count("quantity", quantity)
    fields.moment("purchase_date", purchase_date)
    fields.count("term", term, highest=LONGEST_PRODUCT_TERM)
    for key, text in (
        ("sku", sku),
        ("brand", brand),
        ("model", model),
        ("variant", variant),
        ("condition", condition),
        ("serial_number", serial_number),
    ):
        fields.text(key, text)
    if "serial_number" in fields.fields and fields.fields.get("quantity", 1) != 1:
        fields.refuse("serial_number", "is that of one piece: send one request for each piece")
    fields.amount("partner_price", partner_price)
    fields.start(policy_start_date)
    return fields.request(reference, label, policy_type, policy_type_version)


class _Fields:
    """Collects the fields of one request, and a sentence for each that XCover would refuse.

    The sentences don't quote the values, which may be a customer's.
    """

    def __init__(self, builder: str) -> None:
        self.builder = builder
        self.errors: dict[str, str] = {}
        self.fields: dict[str, object] = {}
        self.currencies: set[str] = set()
        self.policy_start_date: datetime | None = None

    def refuse(self, name: str, why: str) -> None:
        """Record why the argument can't be used; the first reason is kept."""
        self.errors.setdefault(name, why)

    def text(self, name: str, value: object, *, required: bool = False) -> None:
        """Add a text. One of blanks only counts as empty."""
        try:
            plain = values.optional_text(value, name)
        except UnusableValue as unusable:
            self.refuse(name, str(unusable).removeprefix(f"{name} ").rstrip("."))
            return
        if plain.strip():
            self.fields[name] = plain
        elif required:
            self.refuse(name, "is required, and must not be blank")

    def country(self, name: str, value: object, *, required: bool = False) -> None:
        """Add a country code."""
        self.text(name, value, required=required)
        if name in self.fields and self.fields[name] not in COUNTRY_CODES:
            self.refuse(
                name,
                'must be an ISO 3166-1 alpha-2 code in capitals, such as "GB", not "UK" or "gb"',
            )

    def flag(self, name: str, value: object) -> None:
        """Add True or False."""
        if value is None:
            return
        if isinstance(value, bool):
            self.fields[name] = value
        else:
            self.refuse(name, f"must be True or False, not of type {type(value).__name__}")

    def count(
        self,
        name: str,
        value: object,
        *,
        lowest: int = 1,
        highest: int = HIGHEST_COUNT,
        required: bool = False,
    ) -> None:
        """Add a whole number."""
        if value is None:
            if required:
                self.refuse(name, "is required")
        elif isinstance(value, bool) or not isinstance(value, int):
            self.refuse(name, f"must be an int, not of type {type(value).__name__}")
        elif not lowest <= value <= highest:
            self.refuse(name, f"must be from {lowest} to {highest}")
        else:
            self.fields[name] = int(value)

    def moment(
        self, name: str, value: object, *, required: bool = False, only_datetime: bool = False
    ) -> None:
        """Add a date or an aware datetime."""
        allowed = datetime if only_datetime else date
        if value is None:
            if required:
                self.refuse(name, "is required")
        elif not isinstance(value, allowed):
            kind = "an aware datetime" if only_datetime else "a date or an aware datetime"
            self.refuse(name, f"must be {kind}, not of type {type(value).__name__}")
        elif isinstance(value, datetime) and value.utcoffset() is None:
            self.refuse(name, "has no time zone: use django.utils.timezone.make_aware()")
        else:
            self.fields[name] = value

    def start(self, value: object) -> None:
        """Take the start of the policy, which is not one of the policy type's own fields."""
        self.moment("policy_start_date", value, only_datetime=True)
        start = self.fields.pop("policy_start_date", None)
        self.policy_start_date = start if isinstance(start, datetime) else None

    def in_order(self, first: str, last: str, *, may_be_equal: bool = True) -> None:
        """Refuse a `last` that is before `first`. A date counts as its midnight in UTC."""
        known = {**self.fields, "policy_start_date": self.policy_start_date}
        begins, ends = _utc(known.get(first)), _utc(known.get(last))
        if begins is None or ends is None:
            return
        if ends < begins or (ends == begins and not may_be_equal):
            self.refuse(last, f"must be after {first}")

    def amount(self, name: str, value: object, *, required: bool = False) -> None:
        """Add an amount of money."""
        if value is None:
            if required:
                self.refuse(name, "is required")
            return
        found = self._amount(name, value)
        if found is not None:
            self.fields[name] = found

    def amounts(self, name: str, key: str, prices: Sequence[object]) -> None:
        """Add a list of objects that have an amount each; nothing if it is empty."""
        found = [self._amount(name, price) for price in prices]
        if found and None not in found:
            self.fields[name] = [{key: amount} for amount in found]

    def same_tickets(self) -> None:
        """Refuse a number or a total that contradicts the prices of the tickets."""
        rows: Any = self.fields.get("tickets", [])
        number: Any = self.fields.get("number_of_tickets", len(rows))
        if number < len(rows):
            self.refuse("number_of_tickets", f"is {number}, but {len(rows)} tickets are listed")
        total = self.fields.get("total_ticket_price")
        is_complete = rows and number == len(rows)
        if is_complete and total is not None and total != sum(row["price"] for row in rows):
            self.refuse("total_ticket_price", "must be the sum of the tickets")

    def products(self, products: Sequence[ParcelProduct]) -> None:
        """Add what is in the parcel; nothing if it is empty."""
        rows: list[dict[str, object]] = []
        for one in products:
            row = _Fields(self.builder)
            row.text("sku", one.sku, required=True)
            row.amount("value", one.value, required=True)
            for name, why in row.errors.items():
                self.refuse("parcel_products", f"has a product whose {name} {why}")
            self.currencies |= row.currencies
            rows.append(row.fields)
        if rows:
            self.fields["parcel_products"] = rows

    def worth(self, cover_amount: Price | None, products: Sequence[ParcelProduct]) -> None:
        """Refuse a parcel that is worth nothing. A given `cover_amount` decides, even if zero."""
        if cover_amount is None and not products:
            self.refuse("cover_amount", "or parcel_products is required")
        elif self.errors.keys().isdisjoint({"cover_amount", "parcel_products"}):
            rows: Any = self.fields.get("parcel_products", [])
            total = self.fields.get("cover_amount", sum(row["value"] for row in rows))
            if not total:
                name = "parcel_products" if cover_amount is None else "cover_amount"
                self.refuse(name, "must be more than zero: nothing would be insured")

    def request(
        self, reference: str, label: str, policy_type: str, version: int | str
    ) -> PolicyRequest:
        """Return the request. Raise InvalidPolicyRequest with all that is wrong."""
        if len(self.currencies) > 1:
            self.refuse("amounts", f"are in different currencies: {sorted(self.currencies)}")
        if isinstance(version, bool) or version in {0, None} or not str(version).strip():
            self.refuse("policy_type_version", "must be a version such as 1")
        if not values.optional_text(policy_type, "policy_type").strip():
            self.refuse("policy_type", "is required, and must not be blank")
        if self.errors:
            raise InvalidPolicyRequest(self.builder, self.errors)
        return PolicyRequest(
            reference=reference,
            label=label,
            policy_type=policy_type,
            policy_type_version=version,
            policy_start_date=self.policy_start_date,
            currency=next(iter(self.currencies), ""),
            fields=self.fields,
        )

    def _amount(self, name: str, value: object) -> Decimal | None:
        amount = value.amount if isinstance(value, Money) else value
        if not isinstance(amount, Decimal):
            kind = type(amount).__name__
            self.refuse(name, f"must be Money or a Decimal, not of type {kind}")
            return None
        if not amount.is_finite():
            self.refuse(name, "must be a finite amount")
        elif not 0 <= amount <= HIGHEST_AMOUNT:
            self.refuse(name, f"must be from 0 to {HIGHEST_AMOUNT:,f}")
        elif isinstance(value, Money) and _has_more_digits(value):
            self.refuse(name, f"has more decimal places than {value.currency} has")
        else:
            if isinstance(value, Money):
                self.currencies.add(value.currency)
            return amount
        return None


# What insures something in the future can't be bought any more once that has begun.
BEGINNINGS = ("event_datetime", "trip_start_date", "ship_date")


def begins_at(item: PolicyRequest) -> datetime | None:
    """Return when the insured event, trip or shipment begins; None if it has no such field.

    A date begins at midnight UTC. Values may be texts, as they are sent.
    """
    moments = (_utc(_parsed(item.fields.get(name))) for name in BEGINNINGS)
    return min(filter(None, moments), default=None)


def _parsed(value: object) -> object:
    """Return an ISO text as a datetime or a date, and any other value as it is."""
    if not isinstance(value, str):
        return value
    try:
        return datetime.fromisoformat(value) if "T" in value else date.fromisoformat(value)
    except ValueError:
        return None


def _has_more_digits(money: Money) -> bool:
    unit = Decimal(1).scaleb(-get_currency_precision(money.currency))
    return bool(money.amount % unit)


def _utc(value: object) -> datetime | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime.combine(value, time(), UTC) if isinstance(value, date) else None
