"""`django_xcover.policy_requests` against the local XCover and the recorded traffic."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st

from django_xcover import policy_requests
from django_xcover.client import exact_json
from django_xcover.exceptions import UnusableValue
from django_xcover.mirror import request_bodies
from django_xcover.policy_requests import ParcelProduct
from django_xcover.sandbox.http.errors import Invalid
from django_xcover.sandbox.products import PRODUCTS
from django_xcover.sandbox.products.base import NO_POLICY, Terms
from django_xcover.sandbox.quoting import read_item
from django_xcover.sandbox.tariff.pricing import COUNTRIES
from django_xcover.types import Money, PolicyRequest
from django_xcover.values import COUNTRY_CODES
from tests.conformance.recordings import FILES, NEEDED, interactions
from tests.test_policy_requests import SMALLEST, Builder

NOW = datetime(2030, 1, 1, tzinfo=UTC)
OWN_NAMES = {"reference", "label"}
BUILDERS = {builder.__name__: builder for builder in SMALLEST}


def sent(item: PolicyRequest) -> Any:
    """Return the item as XCover reads it."""
    payload = request_bodies.item_payload(item, now=NOW)
    return simplejson.loads(exact_json.encode(payload), use_decimal=True)


def accepted(item: PolicyRequest) -> dict[str, Any]:
    """Return the request's fields after the sandbox has read and priced them."""
    fields = read_item(sent(item))
    terms = Terms("GBP", "GB", "GBP", NOW)
    PRODUCTS[item.policy_type].cover(fields, terms)
    return fields


# Values of each kind that a shop could pass for any argument.
COUNTRIES_LIKE = st.sampled_from(["GB", "FR", "JP", "UK", "gb", "ZZ", "Portugal", "", None, 7])
TEXTS = st.one_of(
    st.sampled_from(["", " ", None, 5, b"x"]), st.text("aé\0\ud800 \u2003/", max_size=9)
)
COUNTS = st.one_of(
    st.sampled_from([None, True, 0, -1, 1, 12, 13, 60, 61, 10**6 + 1, Decimal(1), "2"]),
    st.integers(min_value=-5, max_value=70),
)
FLAGS = st.sampled_from([True, False, None, 0, "yes"])
PLAIN_AMOUNTS = st.one_of(
    st.sampled_from([None, 5, 1.5, Decimal("NaN"), Decimal("Infinity"), Decimal(10) ** 12]),
    st.decimals(min_value=-100, max_value=5000, places=2),
)
AMOUNTS = st.one_of(
    PLAIN_AMOUNTS,
    st.builds(Money, st.decimals(min_value=0, max_value=5000, places=2), st.just("GBP")),
    st.builds(Money, st.decimals(min_value=0, max_value=5000, places=3), st.just("GBP")),
)
ZONES: st.SearchStrategy[Any] = st.sampled_from(
    [UTC, timezone(timedelta(hours=-11)), timezone(timedelta(hours=14)), None]
)
# Within the year after NOW, because XCover alone decides what has begun by its clock.
MOMENTS = st.one_of(
    st.sampled_from([None, "2030-07-01"]),
    st.dates(date(2030, 1, 3), date(2030, 12, 30)),
    st.datetimes(datetime(2030, 1, 3), datetime(2030, 12, 30), timezones=ZONES),  # noqa: DTZ001
)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "tickets": st.lists(AMOUNTS, max_size=3),
    "parcel_products": st.lists(
        st.builds(ParcelProduct, sku=TEXTS, value=AMOUNTS),
        max_size=3,
    ),
    "resale_ticket": FLAGS,
    "is_return": FLAGS,
    "policy_type_version": st.sampled_from([1, "1", 0, "", " ", True, None]),
    **dict.fromkeys(
        ("event_country", "destination_country", "departure_country", "from_country", "to_country"),
        COUNTRIES_LIKE,
    ),
    **dict.fromkeys(
        ("cover_amount", "ship_cost", "contents_value", "price", "partner_price",
         "total_ticket_price", "total_event_cost", "total_tickets_price"),
        AMOUNTS,
    ),
    **dict.fromkeys(
        ("number_of_tickets", "number_of_adults", "number_of_children", "number_of_infants",
         "number_of_residents", "number_of_bedrooms", "term", "quantity"),
        COUNTS,
    ),
    **dict.fromkeys(
        ("event_datetime", "policy_start_date", "policy_end_date", "trip_start_date",
         "trip_end_date", "ship_date", "purchase_date"),
        MOMENTS,
    ),
}  # fmt: skip


def arguments_of(builder: Builder) -> list[str]:
    """Return the names of the arguments that end up in the request."""
    return [
        name
        for name in inspect.signature(builder).parameters
        if name not in OWN_NAMES | {"policy_type"}
    ]


@pytest.mark.parametrize("name", BUILDERS)
@given(data=st.data())
def test_whatever_is_built_is_accepted(name: str, data: st.DataObject) -> None:
    builder = BUILDERS[name]
    wild = data.draw(st.lists(st.sampled_from(arguments_of(builder)), unique=True, max_size=6))
    changes = {key: data.draw(KINDS.get(key, TEXTS), label=key) for key in wild}
    try:
        item = builder(**{**SMALLEST[builder], **changes})
    except UnusableValue:
        return

    if is_for_xcover_to_decide(item):
        with pytest.raises(Invalid) as refusal:
            accepted(item)
        assert refusal.value.errors == [NO_POLICY]
    else:
        assert set(accepted(item)) >= set(item.fields)


def is_for_xcover_to_decide(item: PolicyRequest) -> bool:
    """Return whether the item is above one of the sandbox's limits; the next test has them all."""
    amounts: dict[str, Any] = dict(item.fields)
    worth = amounts.get("cover_amount") or sum(
        row["value"] for row in amounts.get("parcel_products", [])
    )
    limits = (amounts.get("price", 0) > 15_000, amounts.get("contents_value", 0) > 150_000)
    return any(limits) or (item.policy_type == "parcel_insurance" and worth > 5_000)


@pytest.mark.parametrize(
    ("builder", "changes"),
    [
        (policy_requests.event_ticket, {"event_datetime": NOW - timedelta(days=1)}),
        (policy_requests.travel, {"trip_start_date": date(2029, 12, 1)}),
        (policy_requests.travel, {"trip_end_date": date(2032, 1, 1)}),
        (policy_requests.parcel, {"cover_amount": Decimal(5001)}),
        (policy_requests.renters, {"contents_value": Decimal(150_001)}),
        (policy_requests.product, {"price": Decimal(15_001)}),
    ],
)
def test_what_depends_on_the_time_or_on_the_contract_is_left_to_xcover(
    builder: Builder, changes: dict[str, Any]
) -> None:
    item = builder(**{**SMALLEST[builder], **changes})

    with pytest.raises(Invalid) as refusal:
        accepted(item)

    assert refusal.value.errors == [NO_POLICY]


@pytest.mark.parametrize("name", BUILDERS)
def test_every_field_that_xcover_reads_is_an_argument(name: str) -> None:
    builder = BUILDERS[name]
    policy_type = builder(**SMALLEST[builder]).policy_type

    # Names and birthdays aren't needed for a price, and quote requests are kept.
    assert set(arguments_of(builder)) | {"policy_type"} == {*PRODUCTS[policy_type].fields} - {
        "insured"
    }


@pytest.mark.parametrize("name", BUILDERS)
def test_what_is_required_there_is_required_here(name: str) -> None:
    builder = BUILDERS[name]
    known = PRODUCTS[builder(**SMALLEST[builder]).policy_type].fields
    required = {key for key, field in known.items() if field.required}

    for key in required & set(arguments_of(builder)):
        # Their number is counted, unless only their total price is given.
        total = {"total_ticket_price": Decimal(60), "tickets": []} if "tickets" in key else {}
        with pytest.raises(UnusableValue, match=f"{key} is required"):
            builder(**{**SMALLEST[builder], **total, key: None})


def test_the_countries_are_those_of_the_contract() -> None:
    assert COUNTRY_CODES == COUNTRIES


@NEEDED
def test_every_recorded_request_can_be_built_key_by_key() -> None:
    recorded = [
        item
        for path in FILES
        for exchange in interactions(path)
        if isinstance(body := exchange["request"].get("body"), dict)
        for item in body.get("request", ())
        if "policy_type" in item  # not the changes of a quote
    ]

    assert len(recorded) >= 20
    for item in recorded:
        assert sent(rebuilt(item)) == simplejson.loads(simplejson.dumps(item), use_decimal=True)


def rebuilt(item: dict[str, Any]) -> PolicyRequest:
    """Return the builder's request for a recorded one."""
    kinds: dict[str, Callable[[Any], Any]] = {
        "tickets": lambda rows: [Decimal(str(row["price"])) for row in rows],
        "event_datetime": datetime.fromisoformat,
        "policy_start_date": datetime.fromisoformat,
    }
    arguments = {key: kinds.get(key, lambda value: value)(value) for key, value in item.items()}
    return policy_requests.event_ticket(reference="recorded", **arguments)
