"""What can be made to go wrong, in-process and over HTTP."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from django_xcover.sandbox.http.server import serve
from tests.sandbox.support import LAPTOP, PERSON, TICKET, Caller, a_booking, a_cart

BOOKING: dict[str, Any] = {"request": [TICKET], "currency": "GBP", "policyholder": PERSON}
# Seconds. What hangs does so for 30; what answers at all does so in a few milliseconds.
READ_TIMEOUT = 2


@pytest.fixture(params=["in-process", "http"])
def caller(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Return a partner who calls by either way and waits READ_TIMEOUT for the next byte."""
    with requests.Session() as session:
        if request.param == "http":
            with serve(sandbox) as url:
                yield Caller(session, f"{url}/x", timeout=READ_TIMEOUT)
        else:
            mount(session, "https://xcover.test/x", sandbox)
            yield Caller(session, "https://xcover.test/x", timeout=READ_TIMEOUT)


def _book(caller: Caller) -> requests.Response:
    return caller.call("POST", "instant_booking/", BOOKING, key="one")


def test_an_unknown_fault_is_refused_by_name(sandbox: Sandbox) -> None:
    with pytest.raises(ValueError, match="'flood' is not a fault"):
        sandbox.faults.add("*", "flood")


def test_a_fault_that_lasts_is_remembered_once_however_often_it_strikes(sandbox: Sandbox) -> None:
    lasting = sandbox.faults.add("instant_booking", "reset", times=None)
    for _ in range(100):
        assert sandbox.faults.take("instant_booking") is lasting

    assert len(sandbox.faults._used) <= 1

    sandbox.faults.clear()
    assert lasting.released.is_set()


def test_a_fault_that_is_used_up_is_let_go_with_the_rest(sandbox: Sandbox) -> None:
    twice = sandbox.faults.add("instant_booking", "hang", times=2)
    for _ in range(2):
        sandbox.faults.take("instant_booking")
    assert sandbox.faults.take("instant_booking") is None

    sandbox.faults.clear()

    assert twice.released.is_set()


def test_a_hanging_call_is_not_carried_out(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("instant_booking", "hang", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        _book(caller)

    assert sandbox.packages() == []


def test_a_reset_call_is_not_carried_out(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("instant_booking", "reset")

    with pytest.raises(requests.ConnectionError):
        _book(caller)

    assert sandbox.packages() == []
    assert _book(caller).status_code == 200


def test_a_call_may_be_carried_out_and_its_answer_hang(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("instant_booking", "process_then_hang", seconds=30)

    with pytest.raises(requests.ReadTimeout):
        _book(caller)

    assert [package["status"] for package in sandbox.packages()] == ["CONFIRMED"]
    assert _book(caller).status_code == 409


def test_a_call_may_be_carried_out_and_its_answer_get_lost(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.faults.add("instant_booking", "process_then_reset")

    with pytest.raises(requests.ConnectionError):
        _book(caller)

    assert len(sandbox.packages()) == 1
    assert _book(caller).status_code == 409


def test_a_call_may_be_carried_out_and_answered_with_a_gateway_error(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.faults.add("instant_booking", "process_then_status", status=502)

    answers = [_book(caller).status_code, _book(caller).status_code]

    assert answers == [502, 409]
    assert len(sandbox.packages()) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 422, 423, 500, 502, 503, 504])
def test_any_status_can_be_answered(caller: Caller, sandbox: Sandbox, status: int) -> None:
    sandbox.faults.add("*", "status", status=status, body={"type": "api_error"})

    answer = _book(caller)

    assert (answer.status_code, answer.json()) == (status, {"type": "api_error"})
    assert sandbox.packages() == []


def test_garbage_comes_with_a_200(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("instant_booking", "garbage")

    answer = _book(caller)

    assert answer.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_a_throttled_call_says_when_to_come_back(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("*", "throttle", seconds=1)

    answer = _book(caller)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    sentence = "Request was throttled. Expected available in 1 second."
    assert answer.json()["message"] == sentence


def test_a_dripping_answer_outlasts_a_read_timeout_and_is_whole(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.faults.add("instant_booking", "drip", seconds=READ_TIMEOUT * 1.25)

    answer = _book(caller)

    assert answer.json()["status"] == "CONFIRMED"


def test_a_missing_policy_is_null_and_really_not_booked(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted(TICKET, LAPTOP)
    sandbox.faults.add("create_booking", "missing_policy")

    answer = caller.call("POST", f"bookings/{package['id']}/", a_booking(package))

    assert answer.status_code == 200
    assert answer.json()["quotes"][0] is None
    assert list(answer.json()["errors"]) == ["0"]
    found = caller.call("GET", f"bookings/{package['id']}/").json()
    assert found["quotes"][0] is None
    stored = sandbox.package(package["id"])["quotes"]
    assert [quote["status"] for quote in stored] == ["FAILED", "CONFIRMED"]


def test_a_missing_policy_may_be_absent_without_a_word(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted(TICKET, LAPTOP)
    sandbox.faults.add("create_booking", "missing_policy", how="absent")

    answer = caller.call("POST", f"bookings/{package['id']}/", a_booking(package)).json()

    assert [quote["id"] for quote in answer["quotes"]] == [package["quotes"]["1"]["id"]]
    assert "errors" not in answer


def test_a_missing_quote_is_null_in_its_place(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_quote", "missing_policy")

    package = caller.quoted(TICKET, LAPTOP)

    assert package["quotes"]["0"] is None
    assert list(package["errors"]) == ["0"]


def test_a_wrong_price_is_what_was_really_booked(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()
    sandbox.faults.add("create_booking", "wrong_price")

    booking = caller.call("POST", f"bookings/{package['id']}/", a_booking(package)).json()

    assert booking["total_price"] > package["total_price"]
    assert (
        caller.call("GET", f"bookings/{package['id']}/").json()["total_price"]
        == (booking["total_price"])
    )


def test_a_wrong_price_of_a_reading_is_only_told(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()
    caller.call("POST", f"bookings/{package['id']}/", a_booking(package))
    sandbox.faults.add("get_booking", "wrong_price")

    told, after = (caller.call("GET", f"bookings/{package['id']}/").json() for _ in range(2))

    assert told["total_price"] > package["total_price"]
    assert told["quotes"][0]["price"] == told["total_price"]
    assert after["total_price"] == package["total_price"]


def test_a_fault_strikes_as_often_as_planned(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("instant_booking", "status", times=2, status=503)

    answers = [_book(caller).status_code for _ in range(3)]

    assert answers == [503, 503, 200]


def test_a_fault_without_a_number_strikes_until_it_is_cleared(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.faults.add("*", "status", times=None)
    outage = [_book(caller).status_code for _ in range(3)]

    sandbox.faults.clear()

    assert outage == [503, 503, 503]
    assert _book(caller).status_code == 200


def test_a_fault_strikes_its_operation_only(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status")

    assert caller.call("POST", "quotes/", a_cart()).status_code == 201


def test_the_journal_has_every_call_with_its_outcome(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("instant_booking", "process_then_reset")
    with pytest.raises(requests.ConnectionError):
        _book(caller)
    _book(caller)
    caller.call("GET", "bookings/")

    booked = sandbox.calls("instant_booking")

    assert [(call.idempotency_key, call.status) for call in booked] == [("one", None), ("one", 409)]
    assert [call.operation for call in sandbox.calls()] == ["instant_booking"] * 2 + [
        "list_bookings"
    ]


def test_an_in_process_hang_shorter_than_the_timeout_is_an_answer(sandbox: Sandbox) -> None:
    sandbox.faults.add("instant_booking", "process_then_hang", seconds=3)
    with requests.Session() as session:
        mount(session, "https://xcover.test/x", sandbox)

        answer = _book(Caller(session, "https://xcover.test/x", timeout=4))

    assert answer.status_code == 200


def test_faults_are_planned_listed_and_cleared_over_http(sandbox: Sandbox) -> None:
    with serve(sandbox) as url, requests.Session() as session:
        page = f"{url}/_sandbox/faults"
        wrong = session.post(page, json={"operation": "*", "kind": "flood"})
        added = session.post(
            page, json={"operation": "create_quote", "kind": "status", "status": 500, "times": 2}
        )
        planned = session.get(page).json()
        answer = Caller(session, f"{url}/x").call("POST", "quotes/", a_cart())
        session.delete(page)

        assert (wrong.status_code, added.status_code, answer.status_code) == (400, 201, 500)
        assert [fault["kind"] for fault in planned] == ["status"]
        assert session.get(page).json() == []


def test_the_clock_moves_over_http(sandbox: Sandbox) -> None:
    before = sandbox.clock.now()
    with serve(sandbox) as url:
        requests.post(f"{url}/_sandbox/clock", json={"advance_seconds": 3600}, timeout=5).close()

    assert (sandbox.clock.now() - before).total_seconds() >= 3600


def test_a_server_with_a_hanging_request_stops_at_once(sandbox: Sandbox) -> None:
    fault = sandbox.faults.add("instant_booking", "hang", seconds=600)
    ended = threading.Event()

    def book(url: str) -> None:
        with requests.Session() as session:
            with contextlib.suppress(requests.RequestException):
                _book(Caller(session, f"{url}/x", timeout=600))
            ended.set()

    with serve(sandbox) as url:
        threading.Thread(target=book, args=(url,)).start()
        assert fault.entered.wait(60)

    assert ended.wait(60)  # not the 600 s of the hang
