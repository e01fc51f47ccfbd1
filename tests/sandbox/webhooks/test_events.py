"""What each webhook says, and which event is sent for what."""

from __future__ import annotations

import json

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.webhooks import Delivery
from tests.sandbox.support import LAPTOP, TICKET, Caller, a_booking, signature
from tests.sandbox.webhooks.support import events_of, receiver


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

    assert events_of(sandbox) == ["BOOKING_CREATED"]
