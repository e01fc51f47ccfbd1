"""What may happen to a package in which state, and what it looks like afterwards."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from tests.sandbox.support import LAPTOP, PERSON, TICKET, Caller, a_booking, a_cart


@pytest.fixture
def states(caller: Caller) -> dict[str, dict[str, Any]]:
    """Return one package in each state."""
    received, opted_out, pending = caller.quoted(), caller.quoted(), caller.quoted()
    cancelled = caller.booked()
    caller.call("POST", f"bookings/{opted_out['id']}/opt_out", {})
    unpaid = a_booking(pending, require_payment_confirmation=True)
    caller.call("POST", f"bookings/{pending['id']}/", unpaid)
    caller.call("POST", f"bookings/{cancelled['id']}/cancel", {})
    return {
        "RECEIVED": received,
        "OPTED_OUT": opted_out,
        "PENDING_PAYMENT": pending,
        "CONFIRMED": caller.booked(),
        "CANCELLED": cancelled,
    }


CALLS = {
    "book": ("POST", "bookings/{}/"),
    "confirm": ("PUT", "bookings/{}/confirm"),
    "cancel": ("POST", "bookings/{}/cancel"),
    "modify": ("PATCH", "bookings/{}/"),
    "preview a change": ("PATCH", "bookings/{}/quote_for_update"),
    "change the quotes": ("PATCH", "quotes/{}/"),
    "add": ("POST", "quotes/{}/add/"),
    "delete": ("POST", "quotes/{}/delete/"),
    "quote a renewal": ("PATCH", "renewals/{}/quote_for_renewal/"),
    "decline a renewal": ("POST", "renewals/{}/opt_out/"),
}
ALLOWED = {
    "book": {"RECEIVED"},
    "confirm": {"PENDING_PAYMENT"},
    "cancel": {"CONFIRMED"},
    "modify": {"CONFIRMED"},
    "preview a change": {"CONFIRMED"},
    "change the quotes": {"RECEIVED"},
    "add": {"RECEIVED"},
    "delete": {"RECEIVED"},
    "quote a renewal": {"CONFIRMED"},
    "decline a renewal": {"CONFIRMED"},
}


@pytest.mark.parametrize("name", list(CALLS))
def test_what_a_state_does_not_allow_is_refused_by_name(
    caller: Caller, sandbox: Sandbox, states: dict[str, dict[str, Any]], name: str
) -> None:
    method, path = CALLS[name]
    for status, package in states.items():
        if status in ALLOWED[name]:
            continue
        before = sandbox.package(package["id"])
        body = {"book": {"quotes": [{"id": _quote_id(package)}], "policyholder": PERSON}}

        answer = caller.call(method, path.format(package["id"]), body.get(name, {}))

        refused = [f"Status change not allowed for QuotePackage in status {status}"]
        assert (answer.status_code, answer.json()["errors"]) == (422, refused)
        assert sandbox.package(package["id"]) == before


@pytest.mark.parametrize("status", ["OPTED_OUT", "PENDING_PAYMENT", "CONFIRMED", "CANCELLED"])
def test_an_opt_out_never_fails_and_moves_only_what_was_received(
    caller: Caller, sandbox: Sandbox, states: dict[str, dict[str, Any]], status: str
) -> None:
    package_id = states[status]["id"]

    answer = caller.call("POST", f"bookings/{package_id}/opt_out", {})

    assert answer.status_code == 204
    assert sandbox.package(package_id)["status"] == status


def test_quotes_stay_received_after_an_opt_out(caller: Caller) -> None:
    package = caller.quoted()

    answer = caller.call("POST", f"bookings/{package['id']}/opt_out", {})

    found = caller.call("GET", f"quotes/{package['id']}/").json()
    assert (answer.status_code, answer.content) == (204, b"")
    assert (found["status"], found["quotes"]["0"]["status"]) == ("OPTED_OUT", "RECEIVED")
    assert found["updated_at"] == package["updated_at"]


def test_a_package_that_is_not_booked_is_no_booking(
    caller: Caller, states: dict[str, dict[str, Any]]
) -> None:
    for status in ("RECEIVED", "OPTED_OUT"):
        path = f"bookings/{states[status]['id']}/"

        assert caller.call("GET", path).status_code == 404


def test_the_list_has_confirmed_and_cancelled_bookings_only(
    caller: Caller, states: dict[str, dict[str, Any]]
) -> None:
    listed = caller.call("GET", "bookings/").json()

    assert listed["count"] == 2
    assert {item["status"] for item in listed["results"]} == {"CONFIRMED", "CANCELLED"}


def test_links_of_the_list_name_another_host_and_drop_a_zero_offset(caller: Caller) -> None:
    for _ in range(3):
        caller.booked()

    page = caller.call("GET", "bookings/?limit=1&offset=1").json()

    host = "https://eu-central-1.staging.api.xcover.com/xcover/partners/SHOP1/bookings/"
    assert page["next"] == f"{host}?limit=1&offset=2"
    assert page["previous"] == f"{host}?limit=1"


def test_added_quotes_take_the_first_keys(caller: Caller) -> None:
    package = caller.quoted(TICKET, LAPTOP)
    old = [package["quotes"][key]["id"] for key in "01"]

    answer = caller.call("POST", f"quotes/{package['id']}/add/", {"request": [LAPTOP]})

    quotes = answer.json()["quotes"]
    assert answer.status_code == 201
    assert [quotes[key]["id"] for key in "12"] == old
    assert quotes["0"]["id"] not in old
    assert caller.call("GET", f"quotes/{package['id']}/").json()["quotes"] == quotes


def test_deleted_quotes_leave_a_hole(caller: Caller) -> None:
    package = caller.quoted(TICKET, LAPTOP)
    first = {"quotes": [{"id": package["quotes"]["0"]["id"]}]}

    answer = caller.call("POST", f"quotes/{package['id']}/delete/", first)

    assert answer.status_code == 200
    assert list(answer.json()["quotes"]) == ["1"]
    assert answer.json()["total_price"] == package["quotes"]["1"]["price"]


def test_an_element_nobody_can_insure_is_null_with_a_reason(caller: Caller) -> None:
    package = caller.quoted(TICKET, {"policy_type": "moon_landing"})

    reason = "no policy available for these parameters"
    assert package["quotes"]["1"] is None
    assert package["errors"] == {"1": {"message": reason, "type": "quote_creation_failure"}}


def test_only_chosen_quotes_are_booked(caller: Caller) -> None:
    package = caller.quoted(TICKET, LAPTOP)
    chosen = package["quotes"]["1"]

    booking = caller.call("POST", f"bookings/{package['id']}/", a_booking(package, "1")).json()

    assert [quote["id"] for quote in booking["quotes"]] == [chosen["id"]]
    assert booking["total_price"] == chosen["price"]


def test_a_booking_keeps_price_order_number_and_metadata(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()
    body = a_booking(package, partner_transaction_id="ORD-1", partner_metadata={"gift": True})

    booking = caller.call("POST", f"bookings/{package['id']}/", body).json()

    assert booking["partner_transaction_id"] == "ORD-1"
    assert booking["total_price"] == package["total_price"]
    assert sandbox.package(package["id"])["partner_metadata"] == {"gift": True}


def test_a_region_left_out_is_the_packages_and_a_null_stays_null(caller: Caller) -> None:
    left_out, null = caller.quoted(), caller.quoted()
    person = {**PERSON, "region": None}

    first = caller.call("POST", f"bookings/{left_out['id']}/", a_booking(left_out)).json()
    second = caller.call(
        "POST", f"bookings/{null['id']}/", a_booking(null, policyholder=person)
    ).json()

    assert (first["policyholder"]["region"], second["policyholder"]["region"]) == ("Kent", None)


def test_a_fast_quote_is_not_stored_but_can_be_opted_out_of(
    caller: Caller, sandbox: Sandbox
) -> None:
    answer = caller.call("POST", "quotes/?fast_quote=1", a_cart())
    fast = answer.json()

    opted_out = caller.call("POST", f"bookings/{fast['fast_quote_id']}/opt_out", {})

    assert answer.status_code == 201
    assert "id" not in fast
    assert fast["quotes"]["0"]["price"] > 0
    assert sandbox.packages() == []
    assert opted_out.status_code == 204


def test_an_instant_booking_goes_without_a_customer_country(caller: Caller) -> None:
    body = {"request": [TICKET], "currency": "GBP", "policyholder": PERSON}

    answer = caller.call("POST", "instant_booking/", body)

    assert (answer.status_code, answer.json()["status"]) == (200, "CONFIRMED")


def test_an_instant_booking_of_nothing_insurable_is_refused(caller: Caller) -> None:
    unknown = {"policy_type": "moon_landing"}
    body = {"request": [unknown], "currency": "GBP", "policyholder": PERSON}

    assert caller.call("POST", "instant_booking/", body).status_code == 422


def _quote_id(package: dict[str, Any]) -> str:
    quotes = package["quotes"]
    first = quotes["0"] if isinstance(quotes, dict) else quotes[0]
    return str(first["id"])
