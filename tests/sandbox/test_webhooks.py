"""What partners are told, how it is signed, and what goes wrong on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import requests
import time_machine
from werkzeug.test import Client

from django_xcover.sandbox import Sandbox, webhooks
from django_xcover.sandbox.http.adapter import mount
from django_xcover.sandbox.webhooks import Delivery
from tests.sandbox.support import LAPTOP, PERSON, TICKET, Caller, a_booking, signature

NEW_YEAR = datetime(2030, 1, 1, tzinfo=UTC)
YEARLY = {**LAPTOP, "term": 12}


class Receiver(BaseHTTPRequestHandler):
    """Answers with the server's statuses, one after the other, and keeps what came."""

    server: Receivers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.server.heard()
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if statuses else 200)
        self.send_header("Content-Length", "0")
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Receivers(ThreadingHTTPServer):
    received: list[tuple[dict[str, str], bytes]]
    statuses: list[int]
    heard: Callable[[], object]


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, Receivers]]:
    """Yield the address of a partner that answers with these statuses, then 200, and what came."""
    server = Receivers(("127.0.0.1", 0), Receiver)
    server.received, server.statuses, server.heard = [], list(statuses), lambda: None
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/xcover/webhooks/", server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _events(sandbox: Sandbox) -> list[str]:
    return [delivery.event for delivery in sandbox.webhooks.sent]


# What goes wrong


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

    assert (statuses, _events(sandbox)) == ([200, 409], ["BOOKING_CREATED"])


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

    assert _events(sandbox) == ["BOOKING_CREATED"]


def test_a_webhook_can_come_twice(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("webhook", "twice")

    caller.booked()

    first, second = sandbox.webhooks.sent
    assert first.body == second.body


def test_a_webhook_can_get_lost(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.faults.add("webhook", "never")

    booking = caller.booked()
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    assert _events(sandbox) == ["BOOKING_CANCELLED"]


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
    before = _events(sandbox)
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    assert (before, _events(sandbox)) == ([], ["BOOKING_CANCELLED", "BOOKING_CREATED"])


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


# What is told


def test_a_new_booking_is_told_in_the_documented_shape(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(partner_transaction_id="ORD-1")

    (delivery,) = sandbox.webhooks.sent
    quote = booking["quotes"][0]
    assert json.loads(delivery.body) == {
        "event": "BOOKING_CREATED",
        "payload": {
            "id": booking["id"],
            "status": "CONFIRMED",
            "currency": "GBP",
            "total_price": booking["total_price"],
            "total_price_formatted": booking["total_price_formatted"],
            "partner_transaction_id": "ORD-1",
            "quotes": [
                {
                    "id": quote["id"],
                    "policy_start_date": quote["policy_start_date"],
                    "policy_end_date": quote["policy_end_date"],
                    "status": "CONFIRMED",
                    "price": quote["price"],
                    "price_formatted": quote["price_formatted"],
                    "policy": {
                        name: quote["policy"][name]
                        for name in ("policy_type", "policy_name", "policy_version")
                    },
                    "duration": quote["duration"],
                    "total_renewed_times": 0,
                }
            ],
        },
    }


def test_a_webhook_is_signed_over_its_date_with_sha256(caller: Caller, sandbox: Sandbox) -> None:
    with receiver() as (url, server):
        sandbox.webhooks.subscribe(url, key="our-key", secret="our-secret")
        caller.booked()
        assert sandbox.webhooks.flush()

    ((headers, body),) = server.received
    signed = signature("our-secret", f"date: {headers['Date']}", "sha256")
    assert headers["X-Api-Key"] == "our-key"
    assert headers["Authorization"] == (
        f'Signature keyId="our-key",algorithm="hmac-sha256",signature="{signed}"'
    )
    assert headers["Content-Type"] == "application/json"
    assert json.loads(body)["event"] == "BOOKING_CREATED"


def test_nobody_reads_a_secret_in_a_subscription(sandbox: Sandbox) -> None:
    subscription = sandbox.webhooks.subscribe("http://shop.test/", secret="very-secret")

    assert "very-secret" not in repr(subscription)


def test_who_is_told_can_ask_at_once(caller: Caller, sandbox: Sandbox) -> None:
    statuses: list[str] = []

    def listener(delivery: Delivery) -> None:
        found = caller.call("GET", f"bookings/{delivery.payload['id']}/").json()
        statuses.append(found["status"])

    sandbox.webhooks.subscribe(listener)
    booking = caller.booked()
    caller.call("POST", f"bookings/{booking['id']}/cancel", {})

    assert statuses == ["CONFIRMED", "CANCELLED"]


def test_payment_and_changes_are_updates(caller: Caller, sandbox: Sandbox) -> None:
    package = caller.quoted()
    path = f"bookings/{package['id']}"
    caller.call("POST", f"{path}/", a_booking(package, require_payment_confirmation=True))
    caller.call("PUT", f"{path}/confirm", {})
    caller.call("PATCH", f"{path}/", {"policyholder": {"phone": "+441234"}})
    change = {"quotes": [{"id": package["quotes"]["0"]["id"], "update_fields": {}}]}
    update_id = caller.call("PATCH", f"{path}/quote_for_update", change).json()["update_id"]
    caller.call("POST", f"{path}/confirm_update/{update_id}/", {})

    told = [(one.event, one.payload["status"]) for one in sandbox.webhooks.sent]
    assert told == [
        ("BOOKING_CREATED", "PENDING_PAYMENT"),
        ("BOOKING_UPDATED", "CONFIRMED"),
        ("BOOKING_UPDATED", "CONFIRMED"),
        ("BOOKING_UPDATED", "CONFIRMED"),
    ]


def test_a_booking_is_cancelled_when_its_last_policy_is(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(TICKET, LAPTOP)
    for quote in booking["quotes"]:
        caller.call("POST", f"bookings/{booking['id']}/cancel", {"quotes": [{"id": quote["id"]}]})

    _, first, second = sandbox.webhooks.sent
    assert (first.event, second.event) == ("BOOKING_UPDATED", "BOOKING_CANCELLED")
    refunds = [quote.get("refund_value") for quote in first.payload["quotes"]]
    assert [refund is None for refund in refunds] == [False, True]
    assert second.payload["total_price"] == 0


def test_a_preview_tells_nobody(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked()
    caller.call("POST", f"bookings/{booking['id']}/cancel", {"preview": True})

    assert _events(sandbox) == ["BOOKING_CREATED"]


# What time brings


def test_a_policy_that_never_renews_is_told_nothing_as_time_goes_by(
    caller: Caller, sandbox: Sandbox
) -> None:
    caller.booked(TICKET)
    sandbox.clock.advance(days=3000)

    assert _events(sandbox) == ["BOOKING_CREATED"]


def test_a_declined_renewal_is_not_announced(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(YEARLY)
    caller.call("POST", f"renewals/{booking['id']}/opt_out/", {})
    sandbox.clock.advance(days=500)

    assert _events(sandbox) == ["BOOKING_CREATED"]


def test_the_steps_of_a_renewal_come_at_their_time(caller: Caller, sandbox: Sandbox) -> None:
    caller.booked(YEARLY)
    told = []
    for days in (334, 2, 15, 15, 60):
        sandbox.webhooks.sent.clear()
        sandbox.clock.advance(days=days)
        told.append(_events(sandbox))

    assert told == [
        [],
        ["RENEWAL_CREATED"],
        ["RENEWAL_NOTIFICATION"],
        ["RENEWAL_DUE"],
        ["RENEWAL_EXPIRED"],
    ]


def test_a_leap_tells_everything_it_passes_once(caller: Caller, sandbox: Sandbox) -> None:
    caller.booked(YEARLY)
    sandbox.clock.advance(days=400)
    sandbox.clock.advance(timedelta(minutes=1))

    assert _events(sandbox)[1:] == ["RENEWAL_CREATED", "RENEWAL_NOTIFICATION", "RENEWAL_DUE"]


def test_an_announced_renewal_is_confirmed_by_its_id_alone(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked(YEARLY)
    sandbox.clock.advance(days=400)
    renewal_id = sandbox.webhooks.sent[-1].payload["renewal_id"]

    body = {"paid_on": "2030-01-01"}
    answer = caller.call("PATCH", f"renewals/{renewal_id}/confirmation", body)

    assert renewal_id.endswith("-REN")
    assert answer.status_code == 202
    last = sandbox.webhooks.sent[-1]
    assert last.event == "BOOKING_UPDATED"
    assert [quote["total_renewed_times"] for quote in last.payload["quotes"]] == [0, 1]
    assert [quote["status"] for quote in last.payload["quotes"]] == ["RENEWED", "CONFIRMED"]
    assert last.payload["id"] == booking["id"]


def test_a_renewal_the_partner_asks_for_first_is_announced_under_its_id(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked(YEARLY)
    sandbox.clock.advance(days=320)
    path = f"renewals/{booking['id']}/quote_for_renewal/"
    first = caller.call("PATCH", path).json()["renewal_id"]
    second = caller.call("PATCH", path).json()["renewal_id"]
    sandbox.clock.advance(days=40)

    told = [(one.event, one.payload["renewal_id"]) for one in sandbox.webhooks.sent[1:]]
    assert told == [("RENEWAL_CREATED", first), ("RENEWAL_NOTIFICATION", second)]


def test_a_renewed_policy_is_announced_again_a_year_later(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(YEARLY)
    sandbox.clock.advance(days=350)
    renewal_id = sandbox.webhooks.sent[-1].payload["renewal_id"]
    quote = booking["quotes"][0]
    body = {"id": quote["id"], "policy_start_date": quote["policy_end_date"]}
    caller.call("POST", f"renewals/{booking['id']}/confirm/{renewal_id}/", body)
    sandbox.webhooks.sent.clear()

    sandbox.clock.advance(days=370)

    assert _events(sandbox) == ["RENEWAL_CREATED", "RENEWAL_NOTIFICATION"]
    assert sandbox.webhooks.sent[0].payload["renewal_id"] != renewal_id


def test_nothing_is_told_twice_after_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.sqlite3")
    first = Sandbox(database=database)
    with requests.Session() as session:
        mount(session, "https://xcover.test/x", first)
        Caller(session, "https://xcover.test/x").booked(YEARLY)
    first.clock.advance(days=340)
    told = _events(first)
    first.close()

    second = Sandbox(database=database)
    second.tick()

    assert (told, _events(second)) == (["BOOKING_CREATED", "RENEWAL_CREATED"], [])
    second.close()


def test_the_control_page_lists_what_was_sent(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.webhooks.subscribe(lambda _: 200)
    booking = caller.booked()

    (sent,) = Client(sandbox.wsgi_app).get("/_sandbox/webhooks").get_json()

    assert (sent["event"], sent["statuses"]) == ("BOOKING_CREATED", [200])
    assert sent["payload"]["id"] == booking["id"]
    assert sent.keys() == {"event", "payload", "statuses"}
