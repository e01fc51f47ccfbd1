"""The events of renewals, which come with time."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import requests
from werkzeug.test import Client

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from tests.sandbox.support import LAPTOP, TICKET, Caller
from tests.sandbox.webhooks.support import events_of

YEARLY = {**LAPTOP, "term": 12}


def test_a_policy_that_never_renews_is_told_nothing_as_time_goes_by(
    caller: Caller, sandbox: Sandbox
) -> None:
    caller.booked(TICKET)
    sandbox.clock.advance(days=3000)

    assert events_of(sandbox) == ["BOOKING_CREATED"]


def test_a_declined_renewal_is_not_announced(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(YEARLY)
    caller.call("POST", f"renewals/{booking['id']}/opt_out/", {})
    sandbox.clock.advance(days=500)

    assert events_of(sandbox) == ["BOOKING_CREATED"]


def test_the_steps_of_a_renewal_come_at_their_time(caller: Caller, sandbox: Sandbox) -> None:
    caller.booked(YEARLY)
    told = []
    for days in (334, 2, 15, 15, 60):
        sandbox.webhooks.sent.clear()
        sandbox.clock.advance(days=days)
        told.append(events_of(sandbox))

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

    assert events_of(sandbox)[1:] == ["RENEWAL_CREATED", "RENEWAL_NOTIFICATION", "RENEWAL_DUE"]


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

    assert events_of(sandbox) == ["RENEWAL_CREATED", "RENEWAL_NOTIFICATION"]
    assert sandbox.webhooks.sent[0].payload["renewal_id"] != renewal_id


def test_nothing_is_told_twice_after_a_restart(tmp_path: Path) -> None:
    database = str(tmp_path / "sandbox.sqlite3")
    first = Sandbox(database=database)
    with requests.Session() as session:
        mount(session, "https://xcover.test/x", first)
        Caller(session, "https://xcover.test/x").booked(YEARLY)
    first.clock.advance(days=340)
    told = events_of(first)
    first.close()

    second = Sandbox(database=database)
    second.tick()

    assert (told, events_of(second)) == (["BOOKING_CREATED", "RENEWAL_CREATED"], [])
    second.close()


def test_the_control_page_lists_what_was_sent(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.webhooks.subscribe(lambda _: 200)
    booking = caller.booked()

    (sent,) = Client(sandbox.wsgi_app).get("/_sandbox/webhooks").get_json()

    assert (sent["event"], sent["statuses"]) == ("BOOKING_CREATED", [200])
    assert sent["payload"]["id"] == booking["id"]
    assert sent.keys() == {"event", "payload", "statuses"}
