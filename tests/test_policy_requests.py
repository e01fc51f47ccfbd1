"""Requests for each kind of policy, and what is wrong with those that can't be built."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import gettext_lazy

from django_xcover import policy_requests
from django_xcover.exceptions import InvalidPolicyRequest, UnusableValue
from django_xcover.policy_requests import ParcelProduct
from django_xcover.types import Money, PolicyRequest, QuoteRequest
from tests.shop import laptop, ticket

Builder = Callable[..., PolicyRequest]
EVENING = datetime(2030, 6, 20, 19, 30, tzinfo=UTC)
TICKET: dict[str, Any] = {
    "reference": "ticket",
    "event_name": "Harbour Lights Festival",
    "event_datetime": EVENING,
    "tickets": [Decimal(60), Decimal(60)],
}
TRIP: dict[str, Any] = {
    "reference": "trip",
    "trip_start_date": date(2030, 7, 1),
    "trip_end_date": date(2030, 7, 15),
    "destination_country": "PT",
    "number_of_adults": 2,
}
PARCEL: dict[str, Any] = {
    "reference": "parcel",
    "from_country": "GB",
    "to_country": "FR",
    "cover_amount": Decimal(240),
}
HOME: dict[str, Any] = {
    "reference": "home",
    "address1": "4 Quay Street",
    "contents_value": Decimal(25000),
}
LAPTOP: dict[str, Any] = {
    "reference": "laptop",
    "category": "laptop",
    "name": "Aero 14",
    "description": "A light laptop",
    "price": Decimal(1200),
}
SMALLEST: dict[Builder, dict[str, Any]] = {
    policy_requests.event_ticket: TICKET,
    policy_requests.travel: TRIP,
    policy_requests.parcel: PARCEL,
    policy_requests.renters: HOME,
    policy_requests.product: LAPTOP,
}


def refused(builder: Builder, **changes: Any) -> dict[str, str]:
    """Return what is wrong with the smallest request after these changes."""
    with pytest.raises(InvalidPolicyRequest) as refusal:
        builder(**{**SMALLEST[builder], **changes})
    return refusal.value.errors


# What is refused


@pytest.mark.parametrize(
    ("builder", "name", "value", "why"),
    [
        (policy_requests.event_ticket, "event_name", "  ", "is required"),
        (policy_requests.event_ticket, "event_name", None, "is required"),
        (policy_requests.event_ticket, "event_name", ["Festival"], "no string form"),
        (policy_requests.event_ticket, "event_datetime", EVENING.replace(tzinfo=None), "time zone"),
        (policy_requests.event_ticket, "event_datetime", EVENING.date(), "an aware datetime"),
        (policy_requests.event_ticket, "event_datetime", None, "is required"),
        (policy_requests.event_ticket, "tickets", [], "price of each ticket"),
        (policy_requests.event_ticket, "tickets", [Decimal(-1)], "from 0"),
        (policy_requests.event_ticket, "tickets", [60.0], "not of type float"),
        (policy_requests.event_ticket, "tickets", [Decimal("NaN")], "finite"),
        (policy_requests.event_ticket, "tickets", [Money(Decimal("0.5"), "JPY")], "decimal places"),
        (policy_requests.event_ticket, "number_of_tickets", 0, "from 1"),
        (policy_requests.event_ticket, "number_of_tickets", True, "not of type bool"),
        (policy_requests.event_ticket, "event_country", "UK", "alpha-2"),
        (policy_requests.event_ticket, "resale_ticket", 0, "True or False"),
        (policy_requests.event_ticket, "policy_type_version", 0, "version"),
        (policy_requests.event_ticket, "policy_type_version", " ", "version"),
        (policy_requests.event_ticket, "policy_type", "", "is required"),
        (policy_requests.travel, "destination_country", "Portugal", "alpha-2"),
        (policy_requests.travel, "destination_country", "pt", "alpha-2"),
        (policy_requests.travel, "departure_country", "ZZ", "alpha-2"),
        (policy_requests.travel, "number_of_adults", None, "is required"),
        (policy_requests.travel, "number_of_adults", 0, "from 1"),
        (policy_requests.travel, "number_of_children", -1, "from 0"),
        (policy_requests.travel, "trip_start_date", "2030-07-01", "a date or an aware datetime"),
        (policy_requests.travel, "trip_end_date", date(2030, 6, 30), "after trip_start_date"),
        (policy_requests.travel, "trip_end_date", date(2030, 7, 1), "after trip_start_date"),
        (policy_requests.parcel, "cover_amount", Decimal(0), "nothing would be insured"),
        (policy_requests.parcel, "cover_amount", None, "parcel_products is required"),
        (policy_requests.parcel, "cover_amount", Decimal(10) ** 13, "from 0"),
        (policy_requests.parcel, "ship_cost", 4, "must be Money or a Decimal"),
        (policy_requests.renters, "address1", "", "is required"),
        (policy_requests.renters, "term", 13, "from 1 to 12"),
        (policy_requests.renters, "contents_value", None, "is required"),
        (policy_requests.product, "description", "", "is required"),
        (policy_requests.product, "term", 61, "from 1 to 60"),
        (policy_requests.product, "quantity", Decimal(1), "must be an int"),
    ],
)
def test_a_value_that_xcover_refuses_is_refused_before_it_is_sent(
    builder: Builder, name: str, value: object, why: str
) -> None:
    errors = refused(builder, **{name: value})

    assert list(errors) == [name]
    assert why in errors[name]


@pytest.mark.parametrize(
    ("builder", "changes", "name", "why"),
    [
        (
            policy_requests.event_ticket,
            {"tickets": [Decimal(60)] * 3, "number_of_tickets": 2},
            "number_of_tickets",
            "3 tickets are listed",
        ),
        (
            policy_requests.event_ticket,
            {"total_ticket_price": Decimal(60)},
            "total_ticket_price",
            "sum of the tickets",
        ),
        (
            policy_requests.travel,
            {
                "policy_start_date": EVENING - timedelta(days=9),
                "policy_end_date": EVENING - timedelta(days=10),
            },
            "policy_end_date",
            "after policy_start_date",
        ),
        (
            policy_requests.product,
            {"quantity": 2, "serial_number": "SN-1"},
            "serial_number",
            "one piece",
        ),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(
    builder: Builder, changes: dict[str, Any], name: str, why: str
) -> None:
    errors = refused(builder, **changes)

    assert list(errors) == [name]
    assert why in errors[name]


def test_fewer_prices_than_tickets_are_sent_as_xcover_has_recorded_it() -> None:
    item = policy_requests.event_ticket(
        **{**TICKET, "tickets": [Decimal(60)], "number_of_tickets": 2}
    )

    assert item.fields["number_of_tickets"] == 2


def test_cover_cannot_start_after_the_event_or_the_trip() -> None:
    late = datetime(2031, 1, 1, tzinfo=UTC)

    tickets = refused(policy_requests.event_ticket, policy_start_date=late)
    trip = refused(policy_requests.travel, policy_start_date=late)

    assert tickets == {"event_datetime": "must be after policy_start_date"}
    assert trip == {"trip_start_date": "must be after policy_start_date"}


def test_what_is_in_the_parcel_is_checked_piece_by_piece() -> None:
    nothing = [ParcelProduct(sku="VASE-1", value=Decimal(0))]
    nameless = [ParcelProduct(sku="", value=Decimal(5))]

    worthless = refused(policy_requests.parcel, cover_amount=None, parcel_products=nothing)
    unnamed = refused(policy_requests.parcel, cover_amount=None, parcel_products=nameless)

    assert "more than zero" in worthless["parcel_products"]
    assert "sku is required" in unnamed["parcel_products"]


def test_everything_that_is_wrong_is_named_at_once_and_no_value_is_quoted() -> None:
    with pytest.raises(UnusableValue) as refusal:
        policy_requests.renters(
            reference="home",
            address1="  ",
            contents_value=Decimal(-7),
            city=b"Ana Rossi's",  # type: ignore[arg-type]
        )

    text = str(refusal.value)
    assert text.startswith("renters() can't be quoted: address1 is required")
    assert "contents_value must be from 0" in text
    assert "city is of type bytes" in text
    assert "Ana" not in text
    assert "7" not in text


def test_a_refusal_survives_the_way_through_a_broker() -> None:
    with pytest.raises(InvalidPolicyRequest) as refusal:
        policy_requests.parcel(**{**PARCEL, "to_country": "UK"})

    copy = pickle.loads(pickle.dumps(refusal.value))  # noqa: S301 - our own exception

    assert (str(copy), copy.errors) == (str(refusal.value), refusal.value.errors)


def test_amounts_of_one_request_have_one_currency() -> None:
    errors = refused(
        policy_requests.parcel,
        cover_amount=Money(Decimal(240), "GBP"),
        ship_cost=Money(Decimal(12), "EUR"),
    )

    assert errors == {"amounts": "are in different currencies: ['EUR', 'GBP']"}


def test_amounts_in_pounds_are_not_quoted_in_euros() -> None:
    in_pounds = policy_requests.parcel(**{**PARCEL, "cover_amount": Money(Decimal(240), "GBP")})

    with pytest.raises(UnusableValue, match="amounts that are not in EUR"):
        QuoteRequest(
            currency="EUR", customer_country="DE", customer_language="de", items=(in_pounds,)
        )


# What is built


def test_tickets_are_built_with_one_price_each() -> None:
    built = policy_requests.event_ticket(
        reference="ticket",
        label="Harbour Lights Festival",
        event_name="Harbour Lights Festival",
        event_datetime=EVENING,
        event_location="Dover Marina",
        event_country="GB",
        tickets=[Money(Decimal(60), "GBP")] * 2,
        resale_ticket=False,
    )

    by_hand = ticket()
    assert built.fields == by_hand.fields
    assert (built.policy_type, built.label) == (by_hand.policy_type, by_hand.label)
    assert built.currency == "GBP"


def test_a_product_is_built_as_by_hand() -> None:
    built = policy_requests.product(**LAPTOP, label="Aero 14", quantity=1)

    assert built == laptop()


def test_the_older_field_for_the_price_of_all_tickets_is_enough() -> None:
    built = policy_requests.event_ticket(
        **{**TICKET, "tickets": [], "total_ticket_price": Decimal(120), "number_of_tickets": 2}
    )

    assert built.fields["total_ticket_price"] == Decimal(120)
    assert "tickets" not in built.fields


def test_amounts_with_zeros_after_the_point_have_no_more_digits_than_the_currency() -> None:
    yen = Money(Decimal("11500.00"), "JPY")

    built = policy_requests.renters(**{**HOME, "contents_value": yen})

    assert built.fields["contents_value"] == 11500


class Where(Enum):
    LISBON = "PT"


def test_texts_may_be_what_a_shop_has() -> None:
    built = policy_requests.travel(**{**TRIP, "destination_country": Where.LISBON})
    with translation.override("de"):
        named = policy_requests.product(**{**LAPTOP, "name": gettext_lazy("Name")})

    assert built.fields["destination_country"] == "PT"
    assert named.fields["name"] == "Name"


@pytest.mark.parametrize("empty", ["", None])
def test_what_is_empty_is_not_sent(empty: Any) -> None:
    built = policy_requests.parcel(**PARCEL, to_zipcode=empty, from_company_name=empty)

    assert set(built.fields) == {"from_country", "to_country", "cover_amount"}


def test_the_start_of_the_policy_is_sent_as_such() -> None:
    built = policy_requests.renters(**HOME, policy_start_date=EVENING)

    assert built.policy_start_date == EVENING
    assert "policy_start_date" not in built.fields


def test_a_partner_with_another_name_for_the_policy_type_gives_it() -> None:
    built = policy_requests.event_ticket(
        **TICKET, policy_type="missed_event_cover", policy_type_version="3"
    )

    assert (built.policy_type, built.policy_type_version) == ("missed_event_cover", "3")
