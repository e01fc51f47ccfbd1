"""What can be changed of a booking, and what outdates the price of a change."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from tests.sandbox.rules.support import YEARLY, cancels, change_of, refusal_of
from tests.sandbox.support import LAPTOP, TICKET, Caller


@pytest.mark.parametrize(
    ("item", "name", "value"),
    [
        (TICKET, "event_country", "FR"),
        (TICKET, "resale_ticket", True),
        (LAPTOP, "category", "phone"),
        (LAPTOP, "term", 12),
        (LAPTOP, "purchase_date", "2026-01-01"),
    ],
)
def test_what_a_product_keeps_cannot_be_changed(
    caller: Caller, item: dict[str, Any], name: str, value: Any
) -> None:
    booking = caller.booked(item)
    body = change_of(booking, **{name: value})

    for method, path in (("PATCH", ""), ("PATCH", "quote_for_update")):
        answer = caller.call(method, f"bookings/{booking['id']}/{path}", body)

        sentence = {name: ["This field can not be changed."]}
        assert refusal_of(answer) == (422, {"quotes": [{"update_fields": sentence}]})


def test_a_policy_that_has_begun_keeps_its_start(caller: Caller) -> None:
    booking = caller.booked(LAPTOP)
    later = change_of(booking, policy_start_date="2035-01-01T00:00:00Z")

    answer = caller.call("PATCH", f"bookings/{booking['id']}/", later)

    sentence = {"policy_start_date": ["The policy has already started."]}
    assert refusal_of(answer) == (422, {"quotes": [{"update_fields": sentence}]})


def test_a_policy_that_has_ended_cannot_be_changed(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(YEARLY)
    sandbox.clock.advance(days=367)

    answer = caller.call("PATCH", f"bookings/{booking['id']}/", change_of(booking, price=1))

    quote = booking["quotes"][0]["id"]
    assert refusal_of(answer) == (422, {"quotes": [f"Quote {quote} can not be modified"]})


def test_a_modification_id_that_was_used_or_never_given_does_not_exist(caller: Caller) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    change = change_of(booking, tickets=[{"price": 75}])
    update_id = caller.call("PATCH", f"{path}/quote_for_update", change).json()["update_id"]

    swapped = caller.call("POST", f"{path}/confirm_update/{update_id.swapcase()}/", {})
    caller.call("POST", f"{path}/confirm_update/{update_id}/", {})
    used = caller.call("POST", f"{path}/confirm_update/{update_id}/", {})

    for answer in (swapped, used):
        assert answer.status_code == 404
        assert answer.json()["message"] == "Modification does not exist"


def test_a_modification_is_outdated_when_another_came_first(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    quoted = [
        caller.call("PATCH", f"{path}/quote_for_update", change_of(booking, tickets=[{"price": p}]))
        for p in (75, 90)
    ]
    first, second = (answer.json()["update_id"] for answer in quoted)
    done = caller.call("POST", f"{path}/confirm_update/{first}/", {}).json()

    late = caller.call("POST", f"{path}/confirm_update/{second}/", {})

    sentence = "The booking has changed since this modification was quoted."
    assert refusal_of(late) == (422, [sentence])
    assert caller.call("GET", f"{path}/").json()["total_price"] == done["total_price"]


def test_a_new_phone_number_outdates_nothing(caller: Caller) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    change = change_of(booking, tickets=[{"price": 75}])
    update_id = caller.call("PATCH", f"{path}/quote_for_update", change).json()["update_id"]

    caller.call("PATCH", f"{path}/", {"policyholder": {"phone": "+441234"}})

    assert caller.call("POST", f"{path}/confirm_update/{update_id}/", {}).status_code == 201


def test_a_cancelled_booking_takes_no_quoted_modification(caller: Caller) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    change = change_of(booking, tickets=[{"price": 75}])
    update_id = caller.call("PATCH", f"{path}/quote_for_update", change).json()["update_id"]
    cancels(caller, booking)

    answer = caller.call("POST", f"{path}/confirm_update/{update_id}/", {})

    sentence = "Status change not allowed for QuotePackage in status CANCELLED"
    assert refusal_of(answer) == (422, [sentence])
