"""Webhooks that go wrong: refused, lost, late, twice."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import requests
import time_machine

from django_xcover.sandbox import Sandbox, webhooks
from django_xcover.sandbox.http.adapter import mount
from django_xcover.sandbox.webhooks import Delivery
from tests.sandbox.support import PERSON, TICKET, Caller, a_booking
from tests.sandbox.webhooks.support import events_of, receiver

NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "tried"),
    [
        ([500, 500, 500, 200], [500, 500, 500]),
        ([503, 200], [503, 200]),
        ([302, 204, 404], [302, 204, 404]),
    ],
)
def test_whatever_is_not_200_is_tried_three_times_in_all(
    caller: Caller, sandbox: Sandbox, statuses: list[int], tried: list[int]
) -> None:
    answers = iter(statuses)
    sandbox.webhooks.subscribe(lambda _: next(answers))

    caller.booked()

    assert [delivery.statuses for delivery in sandbox.webhooks.sent] == [tried]


def test_a_url_that_answers_badly_is_tried_three_times_in_all(
    caller: Caller, sandbox: Sandbox
) -> None:
    sandbox.webhooks.spacing = 0
    with receiver(500, 301, 404, 200) as (url, server):
        sandbox.webhooks.subscribe(url)

        caller.booked()

        assert sandbox.webhooks.flush()
    assert [delivery.statuses for delivery in sandbox.webhooks.sent] == [[500, 301, 404]]
    assert len({body for _, body in server.received}) == 1


def test_each_attempt_is_signed_at_its_own_time(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.webhooks.spacing = 0
    with receiver(500) as (url, server), time_machine.travel(NEW_YEAR) as time:
        server.heard = lambda: time.shift(3600)
        sandbox.webhooks.subscribe(url)

        caller.booked()

        assert sandbox.webhooks.flush()
    first, second = (headers for headers, _ in server.received)
    assert first["Date"].startswith("Tue, 01 Jan 2030 00:")
    assert second["Date"].startswith("Tue, 01 Jan 2030 01:")
    assert first["Authorization"] != second["Authorization"]


def test_a_url_where_nobody_is_holds_up_no_call(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.webhooks.spacing = 0
    sandbox.webhooks.subscribe("http://127.0.0.1:9/nobody/")

    booking = caller.booked()

    assert booking["status"] == "CONFIRMED"
    assert sandbox.webhooks.flush()
    assert [delivery.statuses for delivery in sandbox.webhooks.sent] == [[None, None, None]]


def test_a_refused_call_tells_nobody(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()

    caller.call("POST", f"bookings/{package['id']}/", {"quotes": []})
    caller.call("POST", f"bookings/{package['id']}/opt_out", {})

    assert sandbox.webhooks.sent == []


def test_a_replayed_answer_tells_nobody_again(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()
    path, body = f"bookings/{package['id']}/", a_booking(package)

    statuses = [caller.call("POST", path, body, key="one").status_code for _ in range(2)]

    assert (statuses, events_of(sandbox)) == ([200, 409], ["BOOKING_CREATED"])


@pytest.mark.parametrize(
    ("operation", "kind"), [("webhook", "hang"), ("*", "twice"), ("create_booking", "never")]
)
def test_webhooks_and_calls_have_faults_of_their_own(
    sandbox: Sandbox, operation: str, kind: str
) -> None:
    with pytest.raises(ValueError, match="Webhooks and calls have different faults"):
        sandbox.faults.add(operation, kind)


def test_a_fault_of_every_call_leaves_webhooks_alone(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("*", "process_then_reset", times=None)

    with pytest.raises(requests.ConnectionError):
        caller.call(
            "POST",
            "instant_booking/",
            {"request": [TICKET], "currency": "GBP", "policyholder": PERSON},
        )

    assert events_of(sandbox) == ["BOOKING_CREATED"]


def test_a_webhook_can_come_twice(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("webhook", "twice")

    caller.booked()

    first, second = sandbox.webhooks.sent
    assert first.body == second.body


def test_a_webhook_can_get_lost(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("webhook", "never")

    booking = caller.booked()
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    assert events_of(sandbox) == ["BOOKING_CANCELLED"]


def test_a_webhook_can_carry_another_price(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("webhook", "wrong_price")

    booked = caller.booked()

    payload = sandbox.webhooks.sent[0].payload
    assert payload["total_price"] > booked["total_price"]
    assert payload["quotes"][0]["price"] == payload["total_price"]
    assert payload["quotes"][0]["price_formatted"] == f"£{payload['total_price']}"
    assert payload["total_price_formatted"] == f"£{payload['total_price']}"
    assert str(sandbox.package(booked["id"])["total_price"]) == str(booked["total_price"])


def test_a_webhook_can_come_after_the_one_that_follows(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("webhook", "reorder")

    booking = caller.booked()
    before = events_of(sandbox)
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    assert (before, events_of(sandbox)) == ([], ["BOOKING_CANCELLED", "BOOKING_CREATED"])


def test_a_function_gets_what_is_late_when_it_is_released(caller: Caller, sandbox: Sandbox) -> None:
    got: list[str] = []
    sandbox.webhooks.subscribe(lambda delivery: got.append(delivery.event))
    sandbox.faults.add("webhook", "late", seconds=3600)

    booking = caller.booked()
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})
    before = list(got)
    sandbox.webhooks.release()

    assert (before, got) == (["BOOKING_CANCELLED"], ["BOOKING_CANCELLED", "BOOKING_CREATED"])


def test_a_url_gets_what_is_late_after_that_time(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("webhook", "late", seconds=0.3)
    with receiver() as (url, server):
        sandbox.webhooks.subscribe(url)

        booking = caller.booked()
        caller.call("POST", f"bookings/{booking['id']}/cancel", {})

        assert sandbox.webhooks.flush()
    events = [json.loads(body)["event"] for _, body in server.received]
    assert events == ["BOOKING_CANCELLED", "BOOKING_CREATED"]


def test_what_is_late_is_forgotten_when_the_sandbox_closes(caller: Caller) -> None:
    sandbox = Sandbox()
    with requests.Session() as session, receiver() as (url, server):
        mount(session, "https://xcover.test/x", sandbox)
        sandbox.webhooks.subscribe(url)
        sandbox.faults.add("webhook", "late", seconds=3600)
        Caller(session, "https://xcover.test/x").booked()

        sandbox.close()

        assert sandbox.webhooks.flush()
        assert server.received == []


def test_an_event_that_is_never_sent_cannot_be_wanted(sandbox: Sandbox) -> None:
    with pytest.raises(
        ValueError, match=r"XCover does not send CLAIM_CREATED. Its events: BOOKING_CREATED"
    ):
        sandbox.webhooks.subscribe("http://shop.test/", events={"CLAIM_CREATED"})


def test_only_the_newest_are_kept(
    caller: Caller, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "KEPT", 2)
    ids = [caller.booked()["id"] for _ in range(3)]

    assert [one.payload["id"] for one in sandbox.webhooks.sent] == ids[1:]


def test_what_a_function_raises_comes_out(caller: Caller, sandbox: Sandbox) -> None:
    def listener(delivery: Delivery) -> int:
        raise LookupError(delivery.event)

    sandbox.webhooks.subscribe(listener)

    with pytest.raises(LookupError, match="BOOKING_CREATED"):
        caller.booked()


def test_nobody_is_told_of_another_partners_bookings(caller: Caller, sandbox: Sandbox) -> None:
    ours: list[str] = []
    sandbox.add_partner(partner_code="SHOP2", api_key="other", api_secret="other")
    sandbox.webhooks.subscribe(lambda delivery: ours.append(delivery.event), partner="SHOP1")

    Caller(caller.session, caller.base_url, "other", "other", "SHOP2").booked()

    assert ours == []


def test_only_the_wanted_events_are_sent_until_none_is(caller: Caller, sandbox: Sandbox) -> None:
    got: list[str] = []
    wanted = sandbox.webhooks.subscribe(
        lambda delivery: got.append(delivery.event), events={"BOOKING_CANCELLED"}
    )
    first, second = caller.booked(), caller.booked()

    caller.call("POST", f"bookings/{first['id']}/cancel", {})
    sandbox.webhooks.unsubscribe(wanted)
    caller.call("POST", f"bookings/{second['id']}/cancel", {})

    assert got == ["BOOKING_CANCELLED"]
