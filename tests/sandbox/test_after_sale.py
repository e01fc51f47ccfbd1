"""Cancelling, modifying, instalments and e-mails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from tests.sandbox.support import LAPTOP, TICKET, Caller, a_booking


def _preview(caller: Caller, booking: dict[str, Any]) -> dict[str, Any]:
    answer = caller.call("POST", f"bookings/{booking['id']}/cancel", {"preview": True})
    return dict(answer.json())


def _confirm(caller: Caller, booking: dict[str, Any], cancellation_id: str) -> Any:
    path = f"bookings/{booking['id']}/confirm_cancellation/{cancellation_id}/"
    return caller.call("POST", path, {})


def test_a_preview_that_is_too_old_cannot_be_confirmed(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked()
    shown = _preview(caller, booking)
    sandbox.clock.advance(hours=24, minutes=1)

    assert _confirm(caller, booking, shown["cancellation_id"]).status_code == 422
    assert sandbox.package(booking["id"])["status"] == "CONFIRMED"


def test_a_cancellation_id_has_capitals_that_matter(caller: Caller) -> None:
    booking = caller.booked()
    shown = _preview(caller, booking)

    assert _confirm(caller, booking, shown["cancellation_id"].swapcase()).status_code == 404


def test_a_preview_says_cancelled_and_cancels_nothing(caller: Caller) -> None:
    booking = caller.booked()

    shown = _preview(caller, booking)

    found = caller.call("GET", f"bookings/{booking['id']}/").json()
    assert (shown["status"], shown["total_price"]) == ("CANCELLED", 0.0)
    assert shown["quotes"][0]["cancelled_at"] is None
    assert (found["status"], found["total_price"]) == ("CONFIRMED", booking["total_price"])


def test_a_confirmed_cancellation_bears_the_time_of_its_preview(caller: Caller) -> None:
    booking = caller.booked()
    shown = _preview(caller, booking)

    done = _confirm(caller, booking, shown["cancellation_id"])

    quote = done.json()["quotes"][0]
    previewed = datetime.fromisoformat(shown["confirm_before"]) - timedelta(hours=24)
    assert done.status_code == 200
    assert datetime.fromisoformat(quote["cancelled_at"]) == previewed
    assert quote["policy_cancellation_date"] == quote["cancelled_at"] < quote["updated_at"]
    assert (done.json()["cancellation_id"], done.json()["confirm_before"]) == (None, None)
    found = caller.call("GET", f"bookings/{booking['id']}/").json()
    assert (found["status"], found["total_price"]) == ("CANCELLED", 0.0)
    assert found["quotes"][0]["price"] == booking["quotes"][0]["price"]
    assert found["quotes"][0]["can_be_cancelled"] is False


def test_a_cancellation_forgets_the_name_of_the_event(caller: Caller) -> None:
    booking = caller.booked()

    shown = _preview(caller, booking)

    titles = [answer["quotes"][0]["policy"]["content"]["title"] for answer in (booking, shown)]
    assert titles == ["Missed Event Cover for Harbour Lights Festival", "Missed Event Cover for "]


def test_one_cancelled_policy_leaves_the_booking_confirmed(caller: Caller) -> None:
    booking = caller.booked(TICKET, LAPTOP)
    ticket, laptop = booking["quotes"]
    one = {"quotes": [{"id": ticket["id"], "reason_for_cancellation": "sold the tickets"}]}

    done = caller.call("POST", f"bookings/{booking['id']}/cancel", one).json()

    assert (done["status"], done["total_refund"]) == ("CONFIRMED", ticket["price"])
    assert done["total_price"] == laptop["price"]


def test_after_cooling_off_the_refund_is_for_the_time_left(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked(LAPTOP)
    sandbox.clock.advance(days=365)

    done = caller.call("POST", f"bookings/{booking['id']}/cancel", {}).json()

    assert 0.45 < done["total_refund"] / booking["total_price"] < 0.55


def test_a_policy_that_has_ended_cannot_be_cancelled(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(LAPTOP)
    sandbox.clock.advance(days=731)

    found = caller.call("GET", f"bookings/{booking['id']}/").json()
    answer = caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    assert found["status"] == "CONFIRMED"
    assert found["quotes"][0]["can_be_cancelled"] is False
    assert answer.status_code == 422


def test_a_previewed_change_is_applied_once(caller: Caller) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    fields = {"tickets": [{"price": 30}]}
    change = {"quotes": [{"id": booking["quotes"][0]["id"], "update_fields": fields}]}

    shown = caller.call("PATCH", f"{path}/quote_for_update", change).json()
    between = caller.call("GET", f"{path}/").json()
    done = caller.call("POST", f"{path}/confirm_update/{shown['update_id']}/", {})
    again = caller.call("POST", f"{path}/confirm_update/{shown['update_id']}/", {})

    assert between["total_price"] == booking["total_price"]
    assert (done.status_code, again.status_code) == (201, 404)
    assert "update_id" not in done.json()
    assert done.json()["total_price_diff"] == shown["total_price_diff"] < 0


def test_a_field_the_product_does_not_have_cannot_be_changed(caller: Caller) -> None:
    booking = caller.booked()
    fields = {"horsepower": 3}
    change = {"quotes": [{"id": booking["quotes"][0]["id"], "update_fields": fields}]}

    answer = caller.call("PATCH", f"bookings/{booking['id']}/", change)

    assert answer.json()["errors"] == {
        "quotes": [{"update_fields": {"horsepower": "Unexpected field"}}]
    }


@pytest.fixture
def in_parts(caller: Caller) -> dict[str, Any]:
    """Return a booking paid monthly."""
    package = caller.quoted(LAPTOP)
    body = a_booking(package)
    body["quotes"][0]["instalment_plan"] = "1year-monthly"
    return dict(caller.call("POST", f"bookings/{package['id']}/", body).json())


def test_the_first_instalment_is_paid_at_once_and_parts_do_not_add_up(
    caller: Caller, in_parts: dict[str, Any]
) -> None:
    found = caller.call("GET", f"bookings/{in_parts['id']}/instalments/").json()["quotes"][0]

    assert [entry["status"] for entry in found["payment_schedule"]] == ["PAID"] + ["UNPAID"] * 11
    assert found["next_payment"] == found["payment_schedule"][1]
    total = round(found["total_amount_paid"] + found["total_amount_due"], 2)
    assert total > in_parts["total_price"]


def test_a_failed_payment_stays_unpaid_and_is_noted(
    caller: Caller, in_parts: dict[str, Any]
) -> None:
    path = f"bookings/{in_parts['id']}/instalments/"
    report = {
        "id": in_parts["quotes"][0]["id"],
        "instalment_number": 2,
        "payment_status": "FAILED",
    }

    answer = caller.call("POST", path, {"quotes": [report]})

    entry = caller.call("GET", path).json()["quotes"][0]["payment_schedule"][1]
    assert answer.status_code == 204
    assert (entry["status"], len(entry["payment_failures"])) == ("UNPAID", 1)


def test_an_instalment_that_does_not_exist_is_refused(
    caller: Caller, in_parts: dict[str, Any]
) -> None:
    report = {
        "id": in_parts["quotes"][0]["id"],
        "instalment_number": 13,
        "payment_status": "PAID",
    }

    path = f"bookings/{in_parts['id']}/instalments/"

    assert caller.call("POST", path, {"quotes": [report]}).status_code == 422


def test_an_email_for_another_state_is_refused(caller: Caller) -> None:
    booking = caller.booked()

    answer = caller.call(
        "POST", f"bookings/{booking['id']}/send_email", {"event": "BOOKING_CANCELLED"}
    )

    sentence = "BOOKING_CANCELLED email can be only triggered for CANCELLED bookings."
    assert (answer.status_code, answer.json()["errors"]) == (422, [sentence])


def test_the_cancellation_email_goes_out_after_a_cancellation(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked()
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    answer = caller.call("POST", f"bookings/{booking['id']}/send_email", {})

    assert (answer.status_code, answer.content) == (202, b"")
    assert answer.headers["Content-Length"] == "0"
    assert "Content-Type" not in answer.headers
    assert sandbox.package(booking["id"])["emails"] == ["BOOKING_CANCELLED"]
