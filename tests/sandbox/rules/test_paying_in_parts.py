"""Instalments: how they are rounded, reported and paid back."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from tests.sandbox.rules.support import (
    CURRENCIES,
    YEARLY,
    booked_exactly,
    cancels,
    change_of,
    exact,
    refusal_of,
)
from tests.sandbox.support import LAPTOP, PERSON, Caller


def _paid(caller: Caller, booking: Any, *numbers: int, status: str = "PAID") -> requests.Response:
    quote = booking["quotes"][0]["id"]
    reports = [
        {"id": quote, "instalment_number": number, "payment_status": status} for number in numbers
    ]
    return caller.call("POST", f"bookings/{booking['id']}/instalments/", {"quotes": reports})


def _schedule(caller: Caller, booking: Any) -> Any:
    return exact(caller.call("GET", f"bookings/{booking['id']}/instalments/"))["quotes"][0]


@CURRENCIES
@pytest.mark.parametrize(("plan", "count"), [("1year-monthly", 12), ("1year-quarterly", 4)])
def test_each_part_is_rounded_up_by_itself(
    caller: Caller, currency: str, plan: str, count: int
) -> None:
    booking = booked_exactly(caller, YEARLY, currency, plan)

    schedule = _schedule(caller, booking)

    digits = {"GBP": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    parts = [entry["total_amount"] for entry in schedule["payment_schedule"]]
    assert len(parts) == count
    assert set(parts) == {parts[0]}
    assert parts[0] == parts[0].quantize(digits)
    assert 0 <= parts[0] * count - booking["total_price"] < digits * count
    assert schedule["total_amount_paid"] + schedule["total_amount_due"] == parts[0] * count


def test_the_first_part_is_the_one_the_quote_named(caller: Caller) -> None:
    package = caller.quoted(LAPTOP)
    plans = package["quotes"]["0"]["instalment_plans"]

    for plan in plans:
        booking = booked_exactly(caller, LAPTOP, plan=plan["name"])
        first = _schedule(caller, booking)["payment_schedule"][0]
        assert float(first["total_amount"]) == plan["first_instalment_amount"]
        assert float(booking["total_price"]) == plan["amount"]


def test_a_failed_payment_is_noted_once_and_can_be_paid_later(caller: Caller) -> None:
    booking = booked_exactly(caller, LAPTOP, plan="1year-monthly")
    report = {
        "id": booking["quotes"][0]["id"],
        "instalment_id": _schedule(caller, booking)["payment_schedule"][1]["id"],
        "payment_status": "FAILED",
        "payment_attempted_date": "2030-06-01T08:00:00Z",
    }
    path = f"bookings/{booking['id']}/instalments/"

    statuses = [caller.call("POST", path, {"quotes": [report]}).status_code for _ in range(2)]
    failed = _schedule(caller, booking)
    paid = _paid(caller, booking, 2)
    after = _schedule(caller, booking)

    failures = [{"payment_attempted_date": "2030-06-01T08:00:00.000000Z"}]
    assert (statuses, paid.status_code) == ([204, 204], 204)
    assert failed["next_payment"]["number"] == 2
    assert failed["next_payment"]["payment_failures"] == failures
    second = after["payment_schedule"][1]
    assert (second["status"], second["payment_failures"]) == ("PAID", failures)
    assert after["next_payment"]["number"] == 3


def test_a_payment_that_was_made_cannot_fail_and_nothing_of_the_report_counts(
    caller: Caller,
) -> None:
    booking = booked_exactly(caller, LAPTOP, plan="1year-monthly")
    quote = booking["quotes"][0]["id"]
    reports = [
        {"id": quote, "instalment_number": 2, "payment_status": "PAID"},
        {"id": quote, "instalment_number": 1, "payment_status": "FAILED"},
    ]

    answer = caller.call("POST", f"bookings/{booking['id']}/instalments/", {"quotes": reports})

    sentence = f"Instalment 1 of quote {quote} is already paid"
    assert refusal_of(answer) == (422, {"quotes": [sentence]})
    assert _schedule(caller, booking)["next_payment"]["number"] == 2


@pytest.mark.parametrize("status", ["paid", "REFUNDED", ""])
def test_another_payment_status_is_refused(caller: Caller, status: str) -> None:
    booking = booked_exactly(caller, LAPTOP, plan="1year-monthly")

    assert _paid(caller, booking, 2, status=status).status_code == 422


def test_a_part_that_does_not_exist_is_named(caller: Caller) -> None:
    booking = booked_exactly(caller, LAPTOP, plan="1year-quarterly")

    sentence = f"Instalment of quote {booking['quotes'][0]['id']} does not exist"
    assert refusal_of(_paid(caller, booking, 5)) == (422, {"quotes": [sentence]})


def test_a_part_paid_ahead_covers_no_longer(caller: Caller) -> None:
    booking = booked_exactly(caller, LAPTOP, plan="1year-monthly")
    before = _schedule(caller, booking)["paid_until"]

    _paid(caller, booking, 5)
    ahead = _schedule(caller, booking)
    _paid(caller, booking, 2, 3, 4)
    after = _schedule(caller, booking)

    assert (ahead["paid_until"], ahead["next_payment"]["number"]) == (before, 2)
    assert after["next_payment"]["number"] == 6
    day = after["payment_schedule"][4]["period_end_date"][:10]
    assert after["paid_until"].startswith(day)


def test_a_cancelled_policy_asks_for_nothing(caller: Caller) -> None:
    booking = booked_exactly(caller, LAPTOP, plan="1year-monthly")
    cancels(caller, booking)

    schedule = _schedule(caller, booking)
    answer = _paid(caller, booking, 2)

    quote = booking["quotes"][0]["id"]
    assert (schedule["next_payment"], schedule["total_amount_due"]) == (None, 0)
    assert refusal_of(answer) == (
        422,
        {"quotes": [f"Quote {quote} is cancelled: no instalment is due"]},
    )


@CURRENCIES
def test_no_more_is_paid_back_than_was_paid(
    caller: Caller, sandbox: Sandbox, currency: str
) -> None:
    booking = booked_exactly(caller, YEARLY, currency, "1year-monthly")
    first = _schedule(caller, booking)["payment_schedule"][0]["total_amount"]

    policy_rules = exact(cancels(caller, booking, preview=True))
    sandbox.clock.advance(days=200)
    behind = exact(cancels(caller, booking, preview=True))

    assert policy_rules["total_refund"] == first
    assert behind["total_refund"] == 0


def test_what_was_paid_ahead_is_paid_back(caller: Caller, sandbox: Sandbox) -> None:
    booking = booked_exactly(caller, YEARLY, plan="1year-monthly")
    _paid(caller, booking, *range(2, 13))
    whole = booked_exactly(caller, YEARLY)
    sandbox.clock.advance(days=200)

    in_parts, at_once = (
        exact(cancels(caller, one, preview=True))["total_refund"] for one in (booking, whole)
    )

    assert abs(in_parts - at_once) <= Decimal("0.01")


def test_the_cost_of_a_change_is_paid_back_too(caller: Caller) -> None:
    booking = booked_exactly(caller, YEARLY, plan="1year-monthly")
    first = _schedule(caller, booking)["payment_schedule"][0]["total_amount"]
    path = f"bookings/{booking['id']}/"
    change = exact(caller.call("PATCH", path, change_of(booking, price=1999)))

    done = exact(cancels(caller, booking))

    assert change["total_price_diff"] > 0
    assert done["total_refund"] == first + change["total_price_diff"]


def test_an_instant_booking_is_paid_at_once(caller: Caller) -> None:
    body = {"request": [LAPTOP], "currency": "GBP", "policyholder": PERSON}
    booking = caller.call("POST", "instant_booking/", body).json()

    assert caller.call("GET", f"bookings/{booking['id']}/instalments/").json() == {
        "quotes": [],
        "currency": "GBP",
    }
