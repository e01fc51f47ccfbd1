"""What each product lets be changed, cancelled and paid back, and until when."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import requests
import simplejson

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.tariff import policy_rules
from tests.sandbox.support import LAPTOP, PERSON, TICKET, TRIP, Caller, a_booking, a_cart

YEARLY = {**LAPTOP, "term": 12}
CURRENCIES = pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])


def _exact(answer: requests.Response) -> Any:
    return simplejson.loads(answer.text, use_decimal=True)


def _refusal(answer: requests.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()["errors"]


def _booked(caller: Caller, item: dict[str, Any], currency: str = "GBP", plan: str = "") -> Any:
    package = caller.quoted(item, currency=currency)
    body = a_booking(package)
    if plan:
        body["quotes"][0]["instalment_plan"] = plan
    return _exact(caller.call("POST", f"bookings/{package['id']}/", body))


def _cancelled(caller: Caller, booking: Any, **body: Any) -> requests.Response:
    return caller.call("POST", f"bookings/{booking['id']}/cancel", body)


def _change(booking: Any, **fields: Any) -> dict[str, Any]:
    return {"quotes": [{"id": booking["quotes"][0]["id"], "update_fields": fields}]}


def _paid(caller: Caller, booking: Any, *numbers: int, status: str = "PAID") -> requests.Response:
    quote = booking["quotes"][0]["id"]
    reports = [
        {"id": quote, "instalment_number": number, "payment_status": status} for number in numbers
    ]
    return caller.call("POST", f"bookings/{booking['id']}/instalments/", {"quotes": reports})


def _schedule(caller: Caller, booking: Any) -> Any:
    return _exact(caller.call("GET", f"bookings/{booking['id']}/instalments/"))["quotes"][0]


# Changing


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
    body = _change(booking, **{name: value})

    for method, path in (("PATCH", ""), ("PATCH", "quote_for_update")):
        answer = caller.call(method, f"bookings/{booking['id']}/{path}", body)

        sentence = {name: ["This field can not be changed."]}
        assert _refusal(answer) == (422, {"quotes": [{"update_fields": sentence}]})


def test_a_policy_that_has_begun_keeps_its_start(caller: Caller) -> None:
    booking = caller.booked(LAPTOP)
    later = _change(booking, policy_start_date="2035-01-01T00:00:00Z")

    answer = caller.call("PATCH", f"bookings/{booking['id']}/", later)

    sentence = {"policy_start_date": ["The policy has already started."]}
    assert _refusal(answer) == (422, {"quotes": [{"update_fields": sentence}]})


def test_a_policy_that_has_ended_cannot_be_changed(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked(YEARLY)
    sandbox.clock.advance(days=367)

    answer = caller.call("PATCH", f"bookings/{booking['id']}/", _change(booking, price=1))

    quote = booking["quotes"][0]["id"]
    assert _refusal(answer) == (422, {"quotes": [f"Quote {quote} can not be modified"]})


def test_a_modification_id_that_was_used_or_never_given_does_not_exist(caller: Caller) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    change = _change(booking, tickets=[{"price": 75}])
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
        caller.call("PATCH", f"{path}/quote_for_update", _change(booking, tickets=[{"price": p}]))
        for p in (75, 90)
    ]
    first, second = (answer.json()["update_id"] for answer in quoted)
    done = caller.call("POST", f"{path}/confirm_update/{first}/", {}).json()

    late = caller.call("POST", f"{path}/confirm_update/{second}/", {})

    sentence = "The booking has changed since this modification was quoted."
    assert _refusal(late) == (422, [sentence])
    assert caller.call("GET", f"{path}/").json()["total_price"] == done["total_price"]


def test_a_new_phone_number_outdates_nothing(caller: Caller) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    change = _change(booking, tickets=[{"price": 75}])
    update_id = caller.call("PATCH", f"{path}/quote_for_update", change).json()["update_id"]

    caller.call("PATCH", f"{path}/", {"policyholder": {"phone": "+441234"}})

    assert caller.call("POST", f"{path}/confirm_update/{update_id}/", {}).status_code == 201


def test_a_cancelled_booking_takes_no_quoted_modification(caller: Caller) -> None:
    booking = caller.booked()
    path = f"bookings/{booking['id']}"
    change = _change(booking, tickets=[{"price": 75}])
    update_id = caller.call("PATCH", f"{path}/quote_for_update", change).json()["update_id"]
    _cancelled(caller, booking)

    answer = caller.call("POST", f"{path}/confirm_update/{update_id}/", {})

    sentence = "Status change not allowed for QuotePackage in status CANCELLED"
    assert _refusal(answer) == (422, [sentence])


# Cancelling


@pytest.mark.parametrize(("item", "days"), [(TICKET, 14), (LAPTOP, 28)])
def test_each_product_cools_off_in_its_own_time(
    caller: Caller, item: dict[str, Any], days: int
) -> None:
    booking = caller.booked(item)

    quote = _cancelled(caller, booking, preview=True).json()["quotes"][0]

    confirmed, ends = (
        datetime.fromisoformat(quote[name]) for name in ("confirmed_at", "policy_coolingoff_date")
    )
    assert ends - confirmed == timedelta(days=days)


def test_tickets_cannot_be_cancelled_once_the_event_has_begun(
    caller: Caller, sandbox: Sandbox
) -> None:
    booking = caller.booked(TICKET)
    sandbox.clock.travel_to(datetime.fromisoformat("2030-06-20T18:30:00+00:00"))

    answer = _cancelled(caller, booking)

    quote = booking["quotes"][0]["id"]
    assert _refusal(answer) == (422, [f"Quote {quote} can not be cancelled"])


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
    _cancelled(caller, booking)

    answer = _cancelled(caller, booking)

    sentence = "Status change not allowed for QuotePackage in status CANCELLED"
    assert _refusal(answer) == (422, [sentence])


def test_a_policy_cancelled_already_is_named(caller: Caller) -> None:
    booking = caller.booked(TICKET, LAPTOP)
    ticket = {"id": booking["quotes"][0]["id"]}
    _cancelled(caller, booking, quotes=[ticket])

    answer = _cancelled(caller, booking, quotes=[ticket, {"id": "nobody"}])

    assert _refusal(answer) == (
        422,
        [f"Quote {ticket['id']} can not be cancelled", "Quote nobody does not exist"],
    )


def test_a_preview_confirmed_too_late_says_so(caller: Caller, sandbox: Sandbox) -> None:
    booking = caller.booked()
    shown = _cancelled(caller, booking, preview=True).json()
    sandbox.clock.advance(hours=24, seconds=1)
    path = f"bookings/{booking['id']}/confirm_cancellation"

    answer = caller.call("POST", f"{path}/{shown['cancellation_id']}/", {})

    sentence = "The cancellation had to be confirmed before its confirm_before."
    assert _refusal(answer) == (422, [sentence])
    unknown = caller.call("POST", f"{path}/none/", {})
    assert (unknown.status_code, unknown.json()["message"]) == (404, "Cancellation does not exist")


def test_a_preview_does_not_outlive_a_change_of_price(caller: Caller) -> None:
    booking = caller.booked()
    shown = _cancelled(caller, booking, preview=True).json()
    path = f"bookings/{booking['id']}"
    caller.call("PATCH", f"{path}/", _change(booking, tickets=[{"price": 500}]))

    answer = caller.call("POST", f"{path}/confirm_cancellation/{shown['cancellation_id']}/", {})

    sentence = "The booking has changed since this cancellation was previewed."
    assert _refusal(answer) == (422, [sentence])


@CURRENCIES
def test_while_cooling_off_everything_is_paid_back(
    caller: Caller, sandbox: Sandbox, currency: str
) -> None:
    booking = _booked(caller, YEARLY, currency)
    sandbox.clock.advance(days=27)

    done = _exact(_cancelled(caller, booking))

    assert done["total_refund"] == booking["total_price"]


def test_before_it_begins_everything_is_paid_back(caller: Caller, sandbox: Sandbox) -> None:
    sandbox.clock.travel_to(datetime.fromisoformat("2030-01-01T00:00:00+00:00"))
    booking = _booked(caller, {**LAPTOP, "policy_start_date": "2031-01-01T00:00:00Z"})
    sandbox.clock.advance(days=100)

    assert _exact(_cancelled(caller, booking))["total_refund"] == booking["total_price"]


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
    before = _exact(_cancelled(caller, booking, preview=True))
    sandbox.clock.advance(seconds=120)
    after = _exact(_cancelled(caller, booking, preview=True))

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
    booking = _booked(caller, {**LAPTOP, "term": 60}, currency)
    quote = booking["quotes"][0]
    starts, ends = (
        datetime.fromisoformat(quote[name]) for name in ("policy_start_date", "policy_end_date")
    )
    sandbox.clock.travel_to(starts + (ends - starts) / 4)

    done = _exact(_cancelled(caller, booking, preview=True))

    digits = {"GBP": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    expected = (quote["price"] * 3 / 4).quantize(digits)
    refund = done["quotes"][0]["refund_value"]
    assert abs(refund - expected) <= digits
    assert refund == refund.quantize(digits)


def test_the_refund_is_the_one_that_was_shown(caller: Caller, sandbox: Sandbox) -> None:
    booking = _booked(caller, {**LAPTOP, "price": 9999})
    sandbox.clock.advance(days=200)
    shown = _exact(_cancelled(caller, booking, preview=True))
    sandbox.clock.advance(hours=23)

    path = f"bookings/{booking['id']}/confirm_cancellation/{shown['cancellation_id']}/"
    done = _exact(caller.call("POST", path, {}))

    assert done["total_refund"] == shown["total_refund"]
    assert done["quotes"][0]["adjustment_fee"] == shown["quotes"][0]["adjustment_fee"]


def test_the_adjustment_fee_is_the_net_premium_without_commission_and_not_deducted(
    caller: Caller,
) -> None:
    booking = _booked(caller, LAPTOP)

    quote = _exact(_cancelled(caller, booking))["quotes"][0]

    net = booking["quotes"][0]["tax"]["total_amount_without_tax"]
    commission = booking["quotes"][0]["commission"]["partner_commission"]
    # As 398.15 = 568.79 - 170.64 in the traffic of 2026, where the commission is 30 %.
    assert commission == (net * 3 / 10).quantize(Decimal("0.01"))
    assert quote["adjustment_fee"] == net - commission
    assert quote["refund_value"] == quote["price"]


def test_a_renewed_policy_pays_back_the_new_period_only(caller: Caller, sandbox: Sandbox) -> None:
    booking = _booked(caller, YEARLY)
    sandbox.clock.advance(days=350)
    shown = caller.call("PATCH", f"renewals/{booking['id']}/quote_for_renewal/").json()
    path = f"renewals/{booking['id']}/confirm/{shown['renewal_id']}/"
    quote = shown["quotes"][0]
    body = {"id": quote["id"], "policy_start_date": quote["policy_start_date"]}
    renewed = _exact(caller.call("POST", path, body))
    sandbox.clock.advance(days=200)

    done = _exact(_cancelled(caller, booking))

    new = renewed["quotes"][1]
    (cancelled,) = done["quotes"]
    assert cancelled["id"] == new["id"]
    assert 0 < cancelled["refund_value"] < new["price"]
    assert done["status"] == "CANCELLED"
    found = caller.call("GET", f"bookings/{booking['id']}/").json()
    assert [quote["status"] for quote in found["quotes"]] == ["RENEWED", "CANCELLED"]


# Paying in parts


@CURRENCIES
@pytest.mark.parametrize(("plan", "count"), [("1year-monthly", 12), ("1year-quarterly", 4)])
def test_each_part_is_rounded_up_by_itself(
    caller: Caller, currency: str, plan: str, count: int
) -> None:
    booking = _booked(caller, YEARLY, currency, plan)

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
        booking = _booked(caller, LAPTOP, plan=plan["name"])
        first = _schedule(caller, booking)["payment_schedule"][0]
        assert float(first["total_amount"]) == plan["first_instalment_amount"]
        assert float(booking["total_price"]) == plan["amount"]


def test_a_failed_payment_is_noted_once_and_can_be_paid_later(caller: Caller) -> None:
    booking = _booked(caller, LAPTOP, plan="1year-monthly")
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
    booking = _booked(caller, LAPTOP, plan="1year-monthly")
    quote = booking["quotes"][0]["id"]
    reports = [
        {"id": quote, "instalment_number": 2, "payment_status": "PAID"},
        {"id": quote, "instalment_number": 1, "payment_status": "FAILED"},
    ]

    answer = caller.call("POST", f"bookings/{booking['id']}/instalments/", {"quotes": reports})

    sentence = f"Instalment 1 of quote {quote} is already paid"
    assert _refusal(answer) == (422, {"quotes": [sentence]})
    assert _schedule(caller, booking)["next_payment"]["number"] == 2


@pytest.mark.parametrize("status", ["paid", "REFUNDED", ""])
def test_another_payment_status_is_refused(caller: Caller, status: str) -> None:
    booking = _booked(caller, LAPTOP, plan="1year-monthly")

    assert _paid(caller, booking, 2, status=status).status_code == 422


def test_a_part_that_does_not_exist_is_named(caller: Caller) -> None:
    booking = _booked(caller, LAPTOP, plan="1year-quarterly")

    sentence = f"Instalment of quote {booking['quotes'][0]['id']} does not exist"
    assert _refusal(_paid(caller, booking, 5)) == (422, {"quotes": [sentence]})


def test_a_part_paid_ahead_covers_no_longer(caller: Caller) -> None:
    booking = _booked(caller, LAPTOP, plan="1year-monthly")
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
    booking = _booked(caller, LAPTOP, plan="1year-monthly")
    _cancelled(caller, booking)

    schedule = _schedule(caller, booking)
    answer = _paid(caller, booking, 2)

    quote = booking["quotes"][0]["id"]
    assert (schedule["next_payment"], schedule["total_amount_due"]) == (None, 0)
    assert _refusal(answer) == (
        422,
        {"quotes": [f"Quote {quote} is cancelled: no instalment is due"]},
    )


@CURRENCIES
def test_no_more_is_paid_back_than_was_paid(
    caller: Caller, sandbox: Sandbox, currency: str
) -> None:
    booking = _booked(caller, YEARLY, currency, "1year-monthly")
    first = _schedule(caller, booking)["payment_schedule"][0]["total_amount"]

    policy_rules = _exact(_cancelled(caller, booking, preview=True))
    sandbox.clock.advance(days=200)
    behind = _exact(_cancelled(caller, booking, preview=True))

    assert policy_rules["total_refund"] == first
    assert behind["total_refund"] == 0


def test_what_was_paid_ahead_is_paid_back(caller: Caller, sandbox: Sandbox) -> None:
    booking = _booked(caller, YEARLY, plan="1year-monthly")
    _paid(caller, booking, *range(2, 13))
    whole = _booked(caller, YEARLY)
    sandbox.clock.advance(days=200)

    in_parts, at_once = (
        _exact(_cancelled(caller, one, preview=True))["total_refund"] for one in (booking, whole)
    )

    assert abs(in_parts - at_once) <= Decimal("0.01")


def test_the_cost_of_a_change_is_paid_back_too(caller: Caller) -> None:
    booking = _booked(caller, YEARLY, plan="1year-monthly")
    first = _schedule(caller, booking)["payment_schedule"][0]["total_amount"]
    path = f"bookings/{booking['id']}/"
    change = _exact(caller.call("PATCH", path, _change(booking, price=1999)))

    done = _exact(_cancelled(caller, booking))

    assert change["total_price_diff"] > 0
    assert done["total_refund"] == first + change["total_price_diff"]


def test_an_instant_booking_is_paid_at_once(caller: Caller) -> None:
    body = {"request": [LAPTOP], "currency": "GBP", "policyholder": PERSON}
    booking = caller.call("POST", "instant_booking/", body).json()

    assert caller.call("GET", f"bookings/{booking['id']}/instalments/").json() == {
        "quotes": [],
        "currency": "GBP",
    }
