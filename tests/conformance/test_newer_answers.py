"""What the traffic of 2026 adds: taken, answered, and read by the client as XCover sends it."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.client import exact_json
from django_xcover.client.errors import ValidationFailed
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.sandbox import Sandbox
from tests.sandbox.support import LAPTOP, TICKET, Caller, a_booking, a_cart

RETAIL = {**LAPTOP, "policy_type_version": "2"}


def test_a_version_may_be_a_text_and_the_booking_shows_it_as_one(caller: Caller) -> None:
    for item in (RETAIL, {**LAPTOP, "policy_type_version": 1}):
        (quote,) = caller.booked(item)["quotes"]
        assert quote["policy_type_version"] == str(item["policy_type_version"])
        assert quote["policy_type_slug"] == "product-insurance"


def test_an_unknown_version_insures_nothing(caller: Caller) -> None:
    answer = caller.call("POST", "quotes/", a_cart({**LAPTOP, "policy_type_version": "99"}))

    assert answer.status_code == 422


def test_a_retail_policy_has_no_end_and_its_version_a_currency_of_its_own(caller: Caller) -> None:
    cart = a_cart(RETAIL, currency="USD", customer_country="US")
    package = caller.call("POST", "quotes/", cart).json()
    booked = caller.call("POST", f"bookings/{package['id']}/", a_booking(package))

    booking = booked.json()
    (quote,) = booking["quotes"]
    assert (quote["policy_end_date"], quote["duration"]) == (None, None)
    assert (booking["currency"], quote["policy_currency"]) == ("USD", "EUR")
    assert quote["can_be_cancelled"] is True
    read = package_from_wire(exact_json.decode(booked.content)).quotes[0]
    assert read.policy_end_date is None


def test_cover_without_an_end_is_paid_back_while_cooling_off_and_not_renewed(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked(RETAIL)
    path = f"bookings/{booking['id']}/cancel"

    shown = caller.call("POST", path, {"preview": True}).json()
    sandbox.clock.advance(days=29)
    later = caller.call("POST", path, {"preview": True}).json()

    assert (shown["total_refund"], later["total_refund"]) == (booking["total_price"], 0.0)
    assert shown["quotes"][0]["policy_end_date"] is None
    renewal = caller.call("PATCH", f"renewals/{booking['id']}/quote_for_renewal/")
    assert renewal.status_code == 422


@pytest.mark.parametrize("insured", [None, [{}, {}], [{"first_name": "Ana"}]])
def test_who_is_insured_may_stand_in_a_request_item(caller: Caller, insured: Any) -> None:
    answer = caller.call("POST", "quotes/", a_cart({**TICKET, "insured": insured}))

    assert answer.status_code == 201


def test_the_partners_transaction_may_be_named_with_the_quote(caller: Caller) -> None:
    cart = a_cart(TICKET, partner_transaction_id="CART-1")
    package = caller.call("POST", "quotes/", cart).json()
    booking = caller.call("POST", f"bookings/{package['id']}/", a_booking(package)).json()

    assert package["partner_transaction_id"] == "CART-1"
    assert booking["partner_transaction_id"] == "CART-1"


def test_when_every_line_is_refused_there_is_no_package(caller: Caller) -> None:
    dear = {**LAPTOP, "price": 99_999}

    some = caller.call("POST", "quotes/", a_cart(dear, LAPTOP))
    none = caller.call("POST", "quotes/", a_cart(dear, dear))

    assert (some.status_code, none.status_code) == (201, 422)
    assert set(none.json()["errors"]) == {"0", "1"}


def test_the_newer_error_shape_is_selected_by_a_header_and_read_like_the_older(
    caller: Caller,
) -> None:
    cart = a_cart({**LAPTOP, "price": 99_999})
    older = caller.call("POST", "quotes/", cart)
    caller.session.headers["X-API-Error-Version"] = "v2"
    newer = caller.call("POST", "quotes/", cart)

    body = newer.json()
    assert (older.status_code, newer.status_code) == (422, 422)
    assert body.keys() == {"code", "error_id", "metadata", "errors"}
    (error,) = body["errors"]
    assert error.keys() == {"product_config_id", "quote_id", "code", "details"}
    said = older.json()["errors"]["0"]["message"]
    assert error["details"] == [said]
    read = ValidationFailed(status=422, body=body)
    assert read.field_errors == {"non_field_errors": [said]}
    assert (read.vendor_code, read.error_id) == (body["code"], body["error_id"])
