"""The official Python SDK runs its whole workflow against the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from tests.sandbox.support import LAPTOP, PERSON, TICKET, a_booking, a_cart

# The SDK opens a session per call and never closes it: its warning, not ours.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_wrong_secret_is_an_error_for_the_sdk(sdk: Any) -> None:
    sdk.config.auth_api_secret = "wrong"

    with pytest.raises(Exception, match="403 Client Error"):
        sdk.create_quote(a_cart())


def test_a_refused_booking_is_an_error_for_the_sdk(sdk: Any) -> None:
    package = sdk.create_quote(a_cart())
    sdk.create_booking(package["id"], a_booking(package))

    with pytest.raises(Exception, match="422 Client Error"):
        sdk.create_booking(package["id"], a_booking(package))


def test_the_sdk_quotes_changes_adds_and_deletes(sdk: Any) -> None:
    package = sdk.create_quote(a_cart(TICKET, LAPTOP))
    ticket, laptop = (package["quotes"][key]["id"] for key in "01")

    changed = sdk.update_quote(package["id"], {"currency": "AUD"})
    added = sdk.add_quotes(package["id"], {"request": [TICKET]})
    left = sdk.delete_quotes(package["id"], {"quotes": [{"id": ticket}]})

    assert changed["currency"] == "AUD"
    assert [added["quotes"][key]["id"] for key in "12"] == [ticket, laptop]
    assert list(left["quotes"]) == ["0", "2"]
    assert sdk.get_quote(package["id"]) == left


def test_the_sdk_books_and_finds_its_booking(sdk: Any) -> None:
    package = sdk.create_quote(a_cart())

    booking = sdk.create_booking(package["id"], a_booking(package))

    found = sdk.get_booking(package["id"])
    assert booking["status"] == found["status"] == "CONFIRMED"
    assert [item["id"] for item in sdk.list_bookings()["results"]] == [package["id"]]


def test_the_sdk_books_now_and_confirms_the_payment_later(sdk: Any) -> None:
    package = sdk.create_quote(a_cart())

    waiting = sdk.create_booking(
        package["id"], a_booking(package, require_payment_confirmation=True)
    )
    paid = sdk.confirm_booking(package["id"])

    assert (waiting["status"], paid["status"]) == ("PENDING_PAYMENT", "CONFIRMED")


def test_the_sdk_books_at_once(sdk: Any) -> None:
    booking = sdk.instant_booking({"request": [TICKET], "currency": "GBP", "policyholder": PERSON})

    assert booking["status"] == "CONFIRMED"


def test_the_sdk_opts_out(sdk: Any) -> None:
    package = sdk.create_quote(a_cart())

    assert sdk.opt_out(package["id"]) is True

    assert sdk.get_quote(package["id"])["status"] == "OPTED_OUT"


def test_the_sdk_modifies_at_once_and_in_two_steps(sdk: Any) -> None:
    booking = sdk.instant_booking({"request": [TICKET], "currency": "GBP", "policyholder": PERSON})
    change = {"quotes": [{"id": booking["quotes"][0]["id"]}]}
    change["quotes"][0]["update_fields"] = {"tickets": [{"price": 200}]}

    called = sdk.booking_modification(booking["id"], {"policyholder": {"phone": "+441234"}})
    shown = sdk.booking_modification_quote(booking["id"], change)
    done = sdk.confirm_booking_modification(booking["id"], shown["update_id"])

    assert called["total_price_diff"] == 0.0
    assert shown["total_price"] == done["total_price"] > booking["total_price"]
    assert sdk.get_booking(booking["id"])["total_price"] == done["total_price"]


def test_the_sdk_cancels_in_two_steps(sdk: Any) -> None:
    booking = sdk.instant_booking({"request": [TICKET], "currency": "GBP", "policyholder": PERSON})

    shown = sdk.cancel_booking(booking["id"], {"preview": True})
    before = sdk.get_booking(booking["id"])["status"]
    sdk.confirm_booking_cancellation(booking["id"], shown["cancellation_id"])

    assert (shown["status"], before) == ("CANCELLED", "CONFIRMED")
    assert sdk.get_booking(booking["id"])["status"] == "CANCELLED"


def test_the_sdk_reports_an_instalment(sdk: Any, sandbox: Sandbox) -> None:
    package = sdk.create_quote(a_cart(LAPTOP))
    booking = a_booking(package)
    booking["quotes"][0]["instalment_plan"] = "1year-monthly"
    sdk.create_booking(package["id"], booking)
    report = {
        "id": booking["quotes"][0]["id"],
        "instalment_number": 2,
        "payment_status": "PAID",
        "payment_attempted_date": "2030-06-01T00:00:00Z",
    }

    assert sdk.update_instalment_payment_status(package["id"], {"quotes": [report]}) is True

    schedule = sdk.get_instalments(package["id"])["quotes"][0]
    assert schedule["next_payment"]["number"] == 3
    assert len(schedule["payment_schedule"]) == 12


def test_the_sdk_triggers_an_email(sdk: Any, sandbox: Sandbox) -> None:
    booking = sdk.instant_booking({"request": [TICKET], "currency": "GBP", "policyholder": PERSON})

    assert sdk.trigger_email(booking["id"]) is True

    assert sandbox.package(booking["id"])["emails"] == ["BOOKING_CREATED"]
