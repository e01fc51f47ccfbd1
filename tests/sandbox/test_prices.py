"""Prices are plausible, repeatable and exact."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
import simplejson

from django_xcover.sandbox import Sandbox
from tests.sandbox.support import LAPTOP, TICKET, Caller, a_booking, a_cart


def _exact(caller: Caller, *items: dict[str, Any], **changes: Any) -> Any:
    answer = caller.call("POST", "quotes/", a_cart(*items, **changes))
    assert answer.status_code == 201, answer.text
    return simplejson.loads(answer.text, use_decimal=True)


def test_a_product_too_dear_to_insure_has_no_quote(caller: Caller) -> None:
    assert _exact(caller, {**LAPTOP, "price": 15001}, LAPTOP)["quotes"]["0"] is None


def test_an_event_before_the_cover_starts_has_no_quote(caller: Caller) -> None:
    past = {**TICKET, "event_datetime": "2030-04-30T00:00:00Z"}

    assert _exact(caller, past, LAPTOP)["quotes"]["0"] is None


@pytest.mark.parametrize("price", [30, 60, 120, 250, 500])
def test_ticket_cover_costs_six_to_nine_per_cent(caller: Caller, price: int) -> None:
    package = _exact(caller, {**TICKET, "tickets": [{"price": price}]})

    assert Decimal("0.06") <= package["total_price"] / price <= Decimal("0.09")


@pytest.mark.parametrize("price", [399, 999, 2499])
def test_laptop_cover_for_two_years_costs_five_to_twelve_per_cent(
    caller: Caller, price: int
) -> None:
    package = _exact(caller, {**LAPTOP, "price": price})

    assert Decimal("0.05") <= package["total_price"] / price <= Decimal("0.12")
    # With and without a 29 February in between.
    assert package["quotes"]["0"]["duration"].startswith(("730 ", "731 "))


def test_the_same_request_has_the_same_price(caller: Caller) -> None:
    assert _exact(caller)["total_price"] == _exact(caller)["total_price"]


@pytest.mark.parametrize(
    ("currency", "country"),
    [("GBP", "GB"), ("EUR", "DE"), ("JPY", "JP"), ("KWD", "KW"), ("AUD", "AU"), ("USD", "US")],
)
def test_net_and_taxes_are_the_price_to_the_last_digit(
    caller: Caller, currency: str, country: str
) -> None:
    package = _exact(
        caller, TICKET, {**LAPTOP, "price": 1499}, currency=currency, customer_country=country
    )

    quotes = list(package["quotes"].values())
    for quote in quotes:
        tax = quote["tax"]
        assert tax["total_tax"] + tax["total_amount_without_tax"] == quote["price"]
        assert sum(line["tax_amount"] for line in tax["taxes"]) == tax["total_tax"]
    assert sum(quote["price"] for quote in quotes) == package["total_price"]


@pytest.mark.parametrize(
    ("currency", "pattern"),
    [("GBP", r"£\d+\.\d{2}"), ("JPY", r"JP¥\d+"), ("KWD", r"KWD\u00a0\d+\.\d{3}")],
)
def test_formatted_amounts_have_the_currencys_digits(
    caller: Caller, currency: str, pattern: str
) -> None:
    package = _exact(caller, currency=currency)

    assert re.fullmatch(pattern, package["total_price_formatted"])


def test_british_cover_has_the_fee_and_twelve_per_cent(caller: Caller) -> None:
    taxes = _exact(caller)["quotes"]["0"]["tax"]["taxes"]

    assert [(line["tax_code"], str(line["tax_amount"])) for line in taxes] == [
        ("Admin. fee", "0.5"),
        ("IPT", "0.79"),
    ]


def test_a_change_of_currency_converts_every_amount(caller: Caller) -> None:
    package = _exact(caller)

    answer = caller.call("PATCH", f"quotes/{package['id']}/", {"currency": "AUD"})

    quote = simplejson.loads(answer.text, use_decimal=True)["quotes"]["0"]
    assert quote["cover_amount"] == Decimal("224.4")
    assert quote["price_formatted"].startswith("A$")


def test_a_partners_own_price_is_the_price(caller: Caller) -> None:
    package = _exact(caller, {**TICKET, "partner_price": 9.99})

    assert package["total_price"] == Decimal("9.99")


def test_benefits_are_limited_by_what_is_insured(caller: Caller) -> None:
    package = _exact(caller, TICKET, LAPTOP)

    ticket, laptop = (package["quotes"][key] for key in "01")
    assert ticket["benefits"][0]["limit"] == ticket["cover_amount"] == 120
    assert max(row.get("limit", 0) for row in laptop["benefits"]) == laptop["cover_amount"] == 999


def test_the_offer_speaks_the_customers_language_or_english(caller: Caller) -> None:
    german = _exact(caller, customer_language="de")["quotes"]["0"]["policy"]["content"]
    unknown = _exact(caller, customer_language="fr")["quotes"]["0"]["policy"]["content"]

    assert german["title"] == "Ticketschutz für Harbour Lights Festival"
    assert unknown["title"] == "Missed Event Cover for Harbour Lights Festival"
    assert "/pds/" in unknown["disclaimer"]


def test_the_engine_tells_the_stored_truth_in_decimals(caller: Caller, sandbox: Sandbox) -> None:
    package = _exact(caller, TICKET, LAPTOP)
    caller.call("POST", f"bookings/{package['id']}/", a_booking(package, "0"))

    truth = sandbox.package(package["id"])

    assert truth["total_price"] == package["quotes"]["0"]["price"]
    assert [quote["status"] for quote in truth["quotes"]] == ["CONFIRMED", "RECEIVED"]
    assert truth["policyholder"]["email"] == "ana@example.com"
