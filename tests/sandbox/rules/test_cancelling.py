"""When a policy can be cancelled, and what is paid back."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.tariff import policy_rules
from tests.sandbox.rules.support import (
    CURRENCIES,
    YEARLY,
    booked_exactly,
    cancels,
    change_of,
    exact,
    refusal_of,
)
from tests.sandbox.support import LAPTOP, TICKET, TRIP, Caller, a_booking, a_cart


@pytest.mark.parametrize(("item", "days"), [(TICKET, 14), (LAPTOP, 28)])
def test_each_product_cools_off_in_its_own_time(
    caller: Caller, item: dict[str, Any], days: int
) -> None:
    booking = caller.booked(item)

    quote = cancels(caller, booking, preview=True).json()["quotes"][0]

    confirmed, ends = (
        datetime.fromisoformat(quote[name]) for name in ("confirmed_at", "policy_coolingoff_date")
    )
    assert ends - confirmed == timedelta(days=days)


def test_tickets_cannot_be_cancelled_once_the_event_has_begun(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked(TICKET)
    sandbox.clock.travel_to(datetime.fromisoformat("2030-06-20T18:30:00+00:00"))

    answer = cancels(caller, booking)

    quote = booking["quotes"][0]["id"]
    assert refusal_of(answer) == (422, [f"Quote {quote} can not be cancelled"])


def test_the_last_moment_to_cancel_is_before_the_end(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(TICKET)
    found = sandbox.store.find_package(booking["id"])
    assert found is not None
    (quote,) = found.quotes
    assert quote.priced is not None
    ends = quote.priced.policy_end
    assert ends is not None

    assert policy_rules.can_be_cancelled(quote, ends - timedelta(microseconds=1))
    assert not policy_rules.can_be_cancelled(quote, ends)


def test_a_second_cancellation_is_refused_in_the_captured_words(caller: Caller) -> None:
    booking = caller.booked()
    cancels(caller, booking)

    answer = cancels(caller, booking)

    sentence = "Status change not allowed for QuotePackage in status CANCELLED"
    assert refusal_of(answer) == (422, [sentence])


def test_a_policy_cancelled_already_is_named(caller: Caller) -> None:
    booking = caller.booked(TICKET, LAPTOP)
    ticket = {"id": booking["quotes"][0]["id"]}
    cancels(caller, booking, quotes=[ticket])

    answer = cancels(caller, booking, quotes=[ticket, {"id": "nobody"}])

    assert refusal_of(answer) == (
        422,
        [f"Quote {ticket['id']} can not be cancelled", "Quote nobody does not exist"],
    )


def test_a_preview_confirmed_too_late_says_so(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked()
    shown = cancels(caller, booking, preview=True).json()
    sandbox.clock.advance(hours=24, seconds=1)
    path = f"bookings/{booking['id']}/confirm_cancellation"

    answer = caller.call("POST", f"{path}/{shown['cancellation_id']}/", {})

    sentence = "The cancellation had to be confirmed before its confirm_before."
    assert refusal_of(answer) == (422, [sentence])
    unknown = caller.call("POST", f"{path}/none/", {})
    assert (unknown.status_code, unknown.json()["message"]) == (404, "Cancellation does not exist")


def test_a_preview_does_not_outlive_a_change_of_price(caller: Caller) -> None:
    booking = caller.booked()
    shown = cancels(caller, booking, preview=True).json()
    path = f"bookings/{booking['id']}"
    caller.call("PATCH", f"{path}/", change_of(booking, tickets=[{"price": 500}]))

    answer = caller.call("POST", f"{path}/confirm_cancellation/{shown['cancellation_id']}/", {})

    sentence = "The booking has changed since this cancellation was previewed."
    assert refusal_of(answer) == (422, [sentence])


@CURRENCIES
def test_while_cooling_off_everything_is_paid_back(
    caller: Caller, sandbox: Sandbox, currency: str
) -> None:
    booking = booked_exactly(caller, YEARLY, currency)
    sandbox.clock.advance(days=27)

    done = exact(cancels(caller, booking))

    assert done["total_refund"] == booking["total_price"]


def test_before_it_begins_everything_is_paid_back(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.clock.travel_to(datetime.fromisoformat("2030-01-01T00:00:00+00:00"))
    booking = booked_exactly(caller, {**LAPTOP, "policy_start_date": "2031-01-01T00:00:00Z"})
    sandbox.clock.advance(days=100)

    assert exact(cancels(caller, booking))["total_refund"] == booking["total_price"]


@pytest.mark.parametrize(
    ("item", "country", "days"),
    [
        (TICKET, "GB", 14),
        (TRIP, "US", 15),
        (TRIP, "CA", 10),
        (TRIP, "GB", 14),
        (TRIP, "AU", 14),
        (TRIP, "NZ", 14),
        (TRIP, "DE", 14),
    ],
)
def test_events_and_travel_are_paid_back_while_cooling_off_and_not_afterwards(
    caller: Caller, sandbox: Sandbox, item: dict[str, Any], country: str, days: int
) -> None:
    sandbox.clock.travel_to(datetime.fromisoformat("2030-05-01T00:00:00+00:00"))
    package = caller.call("POST", "quotes/", a_cart(item, customer_country=country)).json()
    booking = caller.call("POST", f"bookings/{package['id']}/", a_booking(package)).json()

    sandbox.clock.advance(days=days, seconds=-60)
    before = exact(cancels(caller, booking, preview=True))
    sandbox.clock.advance(seconds=120)
    after = exact(cancels(caller, booking, preview=True))

    assert float(before["total_refund"]) == booking["total_price"]
    assert after["total_refund"] == 0


def test_a_later_row_of_the_cooling_off_rules_counts_from_its_date(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = datetime.fromisoformat("2031-01-01T00:00:00+00:00")
    later = policy_rules.Rule(changed, "product_insurance", "", 30, True, "made up")
    monkeypatch.setattr(policy_rules, "RULES", (*policy_rules.RULES, later))

    days = [
        policy_rules.rule_for("product_insurance", "GB", changed + timedelta(days=moved)).days
        for moved in (-1, 0)
    ]

    assert days == [28, 30]


@CURRENCIES
def test_after_cooling_off_the_time_left_is_paid_back_to_the_minor_unit(
    caller: Caller, sandbox: Sandbox, currency: str
) -> None:
    booking = booked_exactly(caller, {**LAPTOP, "term": 60}, currency)
    quote = booking["quotes"][0]
    starts, ends = (
        datetime.fromisoformat(quote[name]) for name in ("policy_start_date", "policy_end_date")
    )
    sandbox.clock.travel_to(starts + (ends - starts) / 4)

    done = exact(cancels(caller, booking, preview=True))

    digits = {"GBP": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    expected = (quote["price"] * 3 / 4).quantize(digits)
    refund = done["quotes"][0]["refund_value"]
    assert abs(refund - expected) <= digits
    assert refund == refund.quantize(digits)


def test_the_refund_is_the_one_that_was_shown(caller: Caller, sandbox: Sandbox) -> None:
    booking = booked_exactly(caller, {**LAPTOP, "price": 9999})
    sandbox.clock.advance(days=200)
    shown = exact(cancels(caller, booking, preview=True))
    sandbox.clock.advance(hours=23)

    path = f"bookings/{booking['id']}/confirm_cancellation/{shown['cancellation_id']}/"
    done = exact(caller.call("POST", path, {}))

    assert done["total_refund"] == shown["total_refund"]
    assert done["quotes"][0]["adjustment_fee"] == shown["quotes"][0]["adjustment_fee"]


def test_the_adjustment_fee_is_the_net_premium_without_commission_and_not_deducted(
    caller: Caller,
) -> None:
    booking = booked_exactly(caller, LAPTOP)

    quote = exact(cancels(caller, booking))["quotes"][0]

    net = booking["quotes"][0]["tax"]["total_amount_without_tax"]
    commission = booking["quotes"][0]["commission"]["partner_commission"]
    # As 398.15 = 568.79 - 170.64 in the traffic of 2026, where the commission is 30 %.
    assert commission == (net * 3 / 10).quantize(Decimal("0.01"))
    assert quote["adjustment_fee"] == net - commission
    assert quote["refund_value"] == quote["price"]


def test_a_renewed_policy_pays_back_the_new_period_only(caller: Caller, sandbox: Sandbox) -> None:
    booking = booked_exactly(caller, YEARLY)
    sandbox.clock.advance(days=350)
    shown = caller.call("PATCH", f"renewals/{booking['id']}/quote_for_renewal/").json()
    path = f"renewals/{booking['id']}/confirm/{shown['renewal_id']}/"
    quote = shown["quotes"][0]
    body = {"id": quote["id"], "policy_start_date": quote["policy_start_date"]}
    renewed = exact(caller.call("POST", path, body))
    sandbox.clock.advance(days=200)

    done = exact(cancels(caller, booking))

    new = renewed["quotes"][1]
    (cancelled,) = done["quotes"]
    assert cancelled["id"] == new["id"]
    assert 0 < cancelled["refund_value"] < new["price"]
    assert done["status"] == "CANCELLED"
    found = caller.call("GET", f"bookings/{booking['id']}/").json()
    assert [quote["status"] for quote in found["quotes"]] == ["RENEWED", "CANCELLED"]
