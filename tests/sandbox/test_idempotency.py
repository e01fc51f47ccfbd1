"""The same key twice is one operation."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.server import serve
from tests.sandbox.support import PERSON, TICKET, Caller, a_booking

INSTANT: dict[str, Any] = {"request": [TICKET], "currency": "GBP", "policyholder": PERSON}


def test_a_repeated_booking_is_replayed_with_409(caller: Caller, sandbox: Sandbox) -> None:
    first = caller.call("POST", "instant_booking/", INSTANT, key="one")
    second = caller.call("POST", "instant_booking/", INSTANT, key="one")

    assert (first.status_code, second.status_code) == (200, 409)
    assert first.content == second.content
    assert len(sandbox.packages()) == 1


def test_an_empty_answer_is_replayed_empty(caller: Caller) -> None:
    path = f"bookings/{caller.quoted()['id']}/opt_out"

    answers = [caller.call("POST", path, {}, key="one") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [204, 409]
    assert answers[1].content == b""


def test_without_a_key_a_repetition_is_a_second_operation(caller: Caller, sandbox: Sandbox) -> None:
    for _ in range(2):
        assert caller.call("POST", "instant_booking/", INSTANT).status_code == 200

    assert len(sandbox.packages()) == 2


def test_the_same_key_with_another_body_is_refused(caller: Caller, sandbox: Sandbox) -> None:
    caller.call("POST", "instant_booking/", INSTANT, key="one")

    answer = caller.call("POST", "instant_booking/", {**INSTANT, "currency": "EUR"}, key="one")

    assert answer.status_code == 422
    assert len(sandbox.packages()) == 1


def test_a_refusal_is_not_stored(caller: Caller) -> None:
    package = caller.quoted()
    path = f"bookings/{package['id']}/"

    refused = caller.call("POST", path, {}, key="one")
    booked = caller.call("POST", path, a_booking(package), key="one")

    assert (refused.status_code, booked.status_code) == (422, 200)


def test_the_same_key_on_another_path_is_another_operation(caller: Caller) -> None:
    answers = [
        caller.call("POST", f"bookings/{caller.quoted()['id']}/opt_out", {}, key="one")
        for _ in range(2)
    ]

    assert [answer.status_code for answer in answers] == [204, 204]


@pytest.mark.parametrize(("hours", "status"), [(47, 409), (49, 200)])
def test_a_key_is_remembered_for_48_hours(
    caller: Caller, sandbox: Sandbox, hours: int, status: int
) -> None:
    caller.call("POST", "instant_booking/", INSTANT, key="one")
    sandbox.clock.advance(hours=hours)

    answer = caller.call("POST", "instant_booking/", INSTANT, key="one")

    assert answer.status_code == status


def test_a_second_request_is_locked_out_while_the_first_is_running(sandbox: Sandbox) -> None:
    fault = sandbox.faults.add("instant_booking", "hang", seconds=30)
    with serve(sandbox) as url, requests.Session() as session, requests.Session() as other:
        first, second = Caller(session, f"{url}/x"), Caller(other, f"{url}/x")
        answers: list[int] = []
        running = threading.Thread(
            target=lambda: answers.append(_book(first).status_code), name="first request"
        )
        running.start()
        assert fault.entered.wait(5)

        assert _book(second).status_code == 423

        fault.release()
        running.join(5)
        assert answers == [504]
        assert _book(second).status_code == 200
    assert len(sandbox.packages()) == 1


def test_ten_requests_at_once_make_one_booking(sandbox: Sandbox) -> None:
    start = threading.Barrier(10)
    statuses: list[int] = []

    def book(url: str) -> None:
        with requests.Session() as session:
            caller = Caller(session, f"{url}/x")
            start.wait(5)
            statuses.append(_book(caller).status_code)

    with serve(sandbox) as url:
        threads = [threading.Thread(target=book, args=(url,)) for _ in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

    assert statuses.count(200) == 1
    assert set(statuses) <= {200, 409, 423}
    assert len(sandbox.packages()) == 1


def _book(caller: Caller) -> requests.Response:
    return caller.call("POST", "instant_booking/", INSTANT, key="one")
