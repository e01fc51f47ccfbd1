"""Travel, parcel and renters' cover: what can be quoted, at what price, in whose words."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import simplejson
from werkzeug.test import Client

from django_xcover.sandbox import Sandbox, datetimes, money
from django_xcover.sandbox.products import PRODUCTS
from tests.sandbox.support import HOME, LAPTOP, PARCEL, TICKET, TRIP, Caller, a_cart

ALL = (TICKET, LAPTOP, TRIP, PARCEL, HOME)
NO_POLICY = "no policy available for these parameters"


def _quoted(caller: Caller, item: dict[str, Any], **changes: Any) -> Any:
    answer = caller.call("POST", "quotes/", a_cart(item, **changes))
    assert answer.status_code == 201, answer.text
    return simplejson.loads(answer.text, use_decimal=True)["quotes"]["0"]


# What cannot be quoted


@pytest.mark.parametrize(
    "item",
    [
        {**TRIP, "trip_end_date": "2030-06-30T00:00:00Z"},
        {**TRIP, "trip_end_date": TRIP["trip_start_date"]},
        {**TRIP, "trip_end_date": "2031-07-02T07:00:00Z"},
        {**TRIP, "trip_start_date": "2020-07-01T00:00:00Z"},
        {**TRIP, "policy_start_date": "2030-07-02T00:00:00Z"},
        {**PARCEL, "parcel_products": [{"sku": "x", "value": 0}]},
        {**PARCEL, "cover_amount": 5000.01},
        {**HOME, "contents_value": 150_001},
    ],
)
def test_what_nobody_insures_fails_in_the_package(caller: Caller, item: dict[str, Any]) -> None:
    package = caller.quoted(item, LAPTOP)

    assert package["quotes"]["0"] is None
    assert package["errors"]["0"]["message"] == NO_POLICY
    alone = caller.call("POST", "quotes/", a_cart(item))
    assert (alone.status_code, alone.json()["errors"]) == (422, package["errors"])


@pytest.mark.parametrize(
    ("item", "missing"),
    [
        (TRIP, "trip_start_date"),
        (TRIP, "trip_end_date"),
        (TRIP, "destination_country"),
        (TRIP, "number_of_adults"),
        (PARCEL, "from_country"),
        (PARCEL, "to_country"),
        (HOME, "address1"),
        (HOME, "contents_value"),
    ],
)
def test_what_a_price_needs_must_be_there(
    caller: Caller, item: dict[str, Any], missing: str
) -> None:
    body = a_cart({name: value for name, value in item.items() if name != missing})

    answer = caller.call("POST", "quotes/", body)

    errors = {"request": [{missing: ["This field is required."]}]}
    assert (answer.status_code, answer.json()["errors"]) == (422, errors)


@pytest.mark.parametrize(
    ("item", "name", "value", "sentence"),
    [
        (TRIP, "number_of_children", -1, "Ensure this value is greater than or equal to 1."),
        (TRIP, "number_of_infants", False, "A valid integer is required."),
        (TRIP, "destination_country", "XX", '"XX" is not a valid choice.'),
        (PARCEL, "parcel_products", [], "This list may not be empty."),
        (HOME, "contents_value", "25000", "A valid number is required."),
        (HOME, "term", 13, "Ensure this value is less than or equal to 12."),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(
    caller: Caller, item: dict[str, Any], name: str, value: Any, sentence: str
) -> None:
    answer = caller.call("POST", "quotes/", a_cart({**item, name: value}))

    assert (answer.status_code, answer.json()["errors"]) == (422, {"request": [{name: [sentence]}]})


@pytest.mark.parametrize(("item", "field"), [(TRIP, "trip_start_date"), (PARCEL, "ship_date")])
def test_a_trip_begun_or_a_parcel_shipped_cannot_be_cancelled(
    caller: Caller, sandbox: Sandbox, item: dict[str, Any], field: str
) -> None:
    booking = caller.booked(item)
    before = booking["quotes"][0]["can_be_cancelled"]
    sandbox.clock.travel_to(_moment(item[field]))

    found = caller.call("GET", f"bookings/{booking['id']}/").json()["quotes"][0]
    answer = caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    assert (before, found["can_be_cancelled"], found["status"]) == (True, False, "CONFIRMED")
    assert answer.json()["errors"] == [f"Quote {found['id']} can not be cancelled"]


@pytest.mark.parametrize("item", [TRIP, PARCEL], ids=lambda item: item["policy_type"])
def test_what_is_not_paid_in_parts_offers_and_takes_no_plan(
    caller: Caller, item: dict[str, Any]
) -> None:
    package = caller.quoted(item)
    quote = package["quotes"]["0"]
    chosen = {"id": quote["id"], "instalment_plan": "1year-monthly"}
    person = {"first_name": "A", "last_name": "B", "email": "a@example.com", "country": "GB"}

    answer = caller.call(
        "POST", f"bookings/{package['id']}/", {"quotes": [chosen], "policyholder": person}
    )

    sentence = f"Quote {quote['id']} can not be paid in instalments"
    assert quote["instalment_plans"] == []
    assert (answer.status_code, answer.json()["errors"]) == (422, {"quotes": [sentence]})


# Prices


def _moment(text: str) -> Any:
    return datetimes.parse(text)


@pytest.mark.parametrize("item", ALL, ids=lambda item: item["policy_type"])
def test_a_price_is_the_same_again_and_alike_in_every_currency(
    caller: Caller, item: dict[str, Any]
) -> None:
    pounds = _quoted(caller, item)["price"]
    assert _quoted(caller, item)["price"] == pounds

    for currency, rate in money.RATES.items():
        quote = _quoted(caller, _in(item, currency), currency=currency)
        smallest = Decimal(1).scaleb(-money.decimals(currency))
        assert quote["price"] == quote["price"].quantize(smallest), currency
        # Each of a few amounts is rounded by itself, so dear units may differ by some of them.
        assert abs(quote["price"] - pounds * rate) <= 4 * smallest + pounds * rate / 100, currency


def _in(item: dict[str, Any], currency: str) -> dict[str, Any]:
    """Return the same thing at its price in another currency."""

    def change(amount: Any) -> Any:
        return float(money.converted(Decimal(str(amount)), "GBP", currency))

    return PRODUCTS[item["policy_type"]].with_money(item, change)


@pytest.mark.parametrize(
    ("item", "lowest", "highest"), [(TRIP, 60, 100), (PARCEL, 4, 8), (HOME, 100, 180)]
)
def test_prices_are_plausible(
    caller: Caller, item: dict[str, Any], lowest: int, highest: int
) -> None:
    assert lowest <= _quoted(caller, item)["price"] <= highest


@pytest.mark.parametrize(
    ("item", "dearer"),
    [
        (TRIP, {"trip_end_date": "2030-07-20T20:00:00Z"}),
        (TRIP, {"destination_country": "US"}),
        (TRIP, {"number_of_children": 3}),
        (TRIP, {"total_tickets_price": 2000}),
        (PARCEL, {"cover_amount": 900}),
        (HOME, {"contents_value": 50_000}),
    ],
)
def test_more_risk_costs_more(caller: Caller, item: dict[str, Any], dearer: dict[str, Any]) -> None:
    assert _quoted(caller, {**item, **dearer})["price"] > _quoted(caller, item)["price"]


def test_infants_travel_for_nothing_and_a_day_begun_counts(caller: Caller) -> None:
    trip = {**TRIP, "trip_end_date": "2030-07-15T06:00:00Z"}
    infant, minute_more = (
        {**trip, "number_of_infants": 2},
        {**trip, "trip_end_date": "2030-07-15T06:01:00Z"},
    )

    price = _quoted(caller, trip)["price"]

    assert _quoted(caller, infant)["price"] == price
    assert _quoted(caller, minute_more)["price"] > price


def test_a_parcel_is_insured_for_thirty_days_and_a_home_for_its_term(caller: Caller) -> None:
    assert _quoted(caller, PARCEL)["duration"] == "30 00:00:00"
    year, month = (_quoted(caller, {**HOME, "term": term}) for term in (12, 1))
    assert Decimal(11) < year["price"] / month["price"] < Decimal(13)


def test_a_trip_is_insured_until_its_end(caller: Caller) -> None:
    quote = _quoted(caller, TRIP)

    assert quote["policy_end_date"] == "2030-07-15T20:00:00+00:00"
    assert quote["policy_start_date"] == quote["created_at"].replace("Z", "+00:00")


def test_a_renewed_home_costs_three_per_cent_more_before_tax(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked(HOME)
    sandbox.clock.advance(days=350)

    shown = caller.call("PATCH", f"renewals/{booking['id']}/quote_for_renewal/").json()

    nets = [
        Decimal(str(quote["tax"]["total_amount_without_tax"]))
        for quote in (booking["quotes"][0], shown["quotes"][0])
    ]
    assert nets[1] == money.rounded(nets[0] * Decimal("1.03"), "GBP")


def test_a_longer_trip_costs_the_difference(caller: Caller) -> None:
    booking = caller.booked(TRIP)
    fields = {"trip_end_date": "2030-07-20T20:00:00Z"}
    change = {"quotes": [{"id": booking["quotes"][0]["id"], "update_fields": fields}]}

    shown = caller.call("PATCH", f"bookings/{booking['id']}/quote_for_update", change).json()

    assert shown["total_price_diff"] > 0
    assert shown["quotes"][0]["policy_end_date"] == "2030-07-20T20:00:00+00:00"


# Words


@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_every_text_is_there_in_both_languages(product: Any) -> None:
    english, german = product.texts["en"], product.texts["de"]

    assert english.benefits.keys() == german.benefits.keys()
    assert len(english.wording) == len(german.wording) == 5
    assert "{pds_url}" in english.disclaimer
    assert "{pds_url}" in german.disclaimer
    assert english.description != german.description


@pytest.mark.parametrize("item", ALL, ids=lambda item: item["policy_type"])
@pytest.mark.parametrize("language", ["en", "de"])
def test_wording_and_certificate_can_be_read(
    caller: Caller, sandbox: Sandbox, item: dict[str, Any], language: str
) -> None:
    package = caller.quoted(item, customer_language=language)
    person = {"first_name": "Ana", "last_name": "B", "email": "a@example.com", "country": "GB"}
    quote = package["quotes"]["0"]
    body = {"quotes": [{"id": quote["id"]}], "policyholder": person}
    booking = caller.call("POST", f"bookings/{package['id']}/", body).json()
    site = Client(sandbox.wsgi_app)

    wording, certificate = (
        site.get(url.removeprefix(sandbox.site_url))
        for url in (quote["pds_url"], booking["coi"]["url"])
    )

    texts = PRODUCTS[item["policy_type"]].in_language(language)
    assert (wording.status_code, certificate.status_code) == (200, 200)
    assert texts.wording[0][0] in wording.text
    assert quote["price_formatted"] in certificate.text


def test_a_renewed_certificate_shows_both_periods(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(HOME)
    sandbox.clock.advance(days=350)
    shown = caller.call("PATCH", f"renewals/{booking['id']}/quote_for_renewal/").json()
    path = f"renewals/{booking['id']}/confirm/{shown['renewal_id']}/"
    quote = shown["quotes"][0]
    body = {"id": quote["id"], "policy_start_date": quote["policy_start_date"]}
    renewed = caller.call("POST", path, body).json()

    url = renewed["coi"]["url"].removeprefix(sandbox.site_url)
    page = Client(sandbox.wsgi_app).get(url).text

    assert "Renewed: a later period follows" in page
    assert page.count("Renters Insurance") == 2
    assert renewed["total_price_formatted"] in page
