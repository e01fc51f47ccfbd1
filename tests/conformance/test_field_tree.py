"""Every answer has the fields of the 2021 traffic, checked without that traffic."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from tests.conformance.trees import complaints
from tests.sandbox.support import (
    HOME,
    LAPTOP,
    PARCEL,
    PERSON,
    TICKET,
    TRIP,
    Caller,
    a_booking,
    a_cart,
)

ITEMS = pytest.mark.parametrize(
    "item", [TICKET, LAPTOP, TRIP, PARCEL, HOME], ids=lambda item: item["policy_type"]
)


def _tree(name: str, response: Any) -> list[str]:
    return complaints(name, response.json())


def test_the_checker_finds_what_is_wrong() -> None:
    body = {"type": 1, "message": "", "surplus": None}

    found = complaints("error", body)

    assert sorted(found) == [
        "error.errors is missing",
        "error.surplus is unknown",
        "error.type is integer, not string",
    ]


def test_an_integer_where_a_decimal_point_belongs_is_found() -> None:
    assert (
        complaints("package", {"total_price": 5})[-1] == "package.total_price is integer, not float"
    )


@ITEMS
def test_packages_have_the_recorded_fields(caller: Caller, item: dict[str, Any]) -> None:
    created = caller.call("POST", "quotes/", a_cart(item))
    path = f"quotes/{created.json()['id']}/"

    assert _tree("package", created) == []
    assert _tree("package", caller.call("POST", f"{path}add/", {"request": [item]})) == []
    assert _tree("package", caller.call("PATCH", path, {"currency": "EUR"})) == []
    assert _tree("package", caller.call("GET", path)) == []


@ITEMS
def test_bookings_have_the_recorded_fields(caller: Caller, item: dict[str, Any]) -> None:
    package = caller.quoted(item)
    path = f"bookings/{package['id']}/"

    assert _tree("booking", caller.call("POST", path, a_booking(package))) == []
    assert _tree("booking", caller.call("GET", path)) == []
    assert _tree("list", caller.call("GET", "bookings/")) == []
    called = {"policyholder": {"phone": "+441234"}}
    assert _tree("booking", caller.call("PATCH", path, called)) == []


@ITEMS
def test_cancellations_have_the_recorded_fields(caller: Caller, item: dict[str, Any]) -> None:
    path = f"bookings/{caller.booked(item)['id']}"

    shown = caller.call("POST", f"{path}/cancel", {"preview": True})
    name = shown.json()["cancellation_id"]

    assert _tree("cancellation", shown) == []
    done = caller.call("POST", f"{path}/confirm_cancellation/{name}/", {})
    assert _tree("cancellation", done) == []


@pytest.mark.parametrize("plan", ["1year-monthly", "1year-quarterly"])
def test_instalments_have_the_recorded_fields(caller: Caller, plan: str) -> None:
    package = caller.quoted(LAPTOP)
    booking = a_booking(package)
    booking["quotes"][0]["instalment_plan"] = plan
    caller.call("POST", f"bookings/{package['id']}/", booking)

    assert _tree("instalments", caller.call("GET", f"bookings/{package['id']}/instalments/")) == []


@pytest.mark.parametrize("currency", ["JPY", "KWD", "USD", "CHF"])
def test_amounts_have_a_decimal_point_in_every_currency(caller: Caller, currency: str) -> None:
    cart = a_cart(TICKET, LAPTOP, currency=currency)

    assert _tree("package", caller.call("POST", "quotes/", cart)) == []


def test_refusals_have_the_recorded_fields(caller: Caller) -> None:
    unknown = caller.call("POST", "quotes/", a_cart(policy_version="1"))
    twice = caller.call("POST", f"bookings/{caller.booked()['id']}/", {"quotes": []})
    phone = {"policyholder": {**PERSON, "phone": "0123"}, "quotes": [{"id": "x"}]}
    nested = caller.call("POST", f"bookings/{caller.quoted()['id']}/", phone)

    assert [_tree("error", answer) for answer in (unknown, twice, nested)] == [[], [], []]


@pytest.mark.parametrize("item", [LAPTOP, HOME], ids=["laptop", "home"])
def test_renewals_have_the_fields_of_bookings(
    caller: Caller, sandbox: Sandbox, item: dict[str, Any]
) -> None:
    booking = caller.booked({**item, "term": 12})
    sandbox.clock.advance(days=350)
    quoted = caller.call("PATCH", f"renewals/{booking['id']}/quote_for_renewal/")
    renewal_id = quoted.json()["renewal_id"]
    quote = quoted.json()["quotes"][0]
    body = {"id": quote["id"], "policy_start_date": quote["policy_start_date"]}
    confirmed = caller.call("POST", f"renewals/{booking['id']}/confirm/{renewal_id}/", body)

    # Documented: `renewal_id`. It is all that a booking does not have.
    assert _tree("booking", quoted) == ["booking.renewal_id is unknown"]
    assert _tree("booking", confirmed) == []
    assert _tree("booking", caller.call("GET", f"bookings/{booking['id']}/")) == []
    assert _tree("package", caller.call("GET", f"quotes/{booking['id']}/")) == []
