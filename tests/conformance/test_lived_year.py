"""The official SDK lives through a year and the next over HTTP, to the cent in each currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from tests.sandbox.support import HOME, PERSON, a_cart

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
DIGITS = {"GBP": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}


def _d(number: float) -> Decimal:
    return Decimal(str(number))


def _pays(sdk: Any, package_id: str, quote_id: str, number: int, status: str = "PAID") -> None:
    report = {"id": quote_id, "instalment_number": number, "payment_status": status}
    assert sdk.update_instalment_payment_status(package_id, {"quotes": [report]}) is True


def _passes(sdk: Any, span: str) -> None:
    """Let time pass as another process can: over HTTP."""
    site = sdk.config.base_url.removesuffix("/xcover/")
    answer = requests.post(f"{site}/_sandbox/clock", json={"advance": span}, timeout=5)
    assert answer.status_code == 200


def test_the_sdk_is_refused_what_is_not_due(sdk: Any) -> None:
    package = sdk.create_quote(a_cart(HOME))
    sdk.create_booking(
        package["id"],
        {"quotes": [{"id": package["quotes"]["0"]["id"]}], "policyholder": PERSON},
    )

    with pytest.raises(Exception, match="422 Client Error"):
        sdk.quote_for_renewal(package["id"])
    with pytest.raises(Exception, match="404 Client Error"):
        sdk.renewal_confirmation(package["id"], "aaaaa-bbbbb-ccccc-UPD")


def test_the_sdk_declines_a_renewal(sdk: Any) -> None:
    booking = sdk.instant_booking({"request": [HOME], "currency": "GBP", "policyholder": PERSON})

    assert sdk.renewal_opt_out(booking["id"]) is True

    assert sdk.get_booking(booking["id"])["quotes"][0]["next_renewal"] is None


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_the_sdk_lives_through_a_year_and_into_the_next(
    sdk: Any, sandbox: Sandbox, currency: str
) -> None:
    # Quoted and booked in twelve parts, of which the first is paid.
    value = {"GBP": 25_000, "JPY": 4_750_000, "KWD": 9_750}[currency]
    package = sdk.create_quote(a_cart({**HOME, "contents_value": value}, currency=currency))
    package_id, quote = package["id"], package["quotes"]["0"]
    (monthly, _) = quote["instalment_plans"]
    chosen = {"id": quote["id"], "instalment_plan": monthly["name"]}
    booking = sdk.create_booking(package_id, {"quotes": [chosen], "policyholder": PERSON})
    part = _d(monthly["first_instalment_amount"])
    assert _d(booking["total_price"]) == _d(package["total_price"])
    assert part == part.quantize(DIGITS[currency])

    # Eleven more payments, a month apart; one fails first.
    for number in range(2, 13):
        _passes(sdk, "30d")
        if number == 5:
            _pays(sdk, package_id, quote["id"], number, "FAILED")
            (schedule,) = sdk.get_instalments(package_id)["quotes"]
            assert schedule["next_payment"]["number"] == 5
            assert len(schedule["next_payment"]["payment_failures"]) == 1
        _pays(sdk, package_id, quote["id"], number)
    (schedule,) = sdk.get_instalments(package_id)["quotes"]
    assert schedule["next_payment"] is None
    assert (_d(schedule["total_amount_paid"]), schedule["total_amount_due"]) == (12 * part, 0.0)

    # More in the home: the difference first, the change afterwards.
    fields = {"contents_value": value * 2}
    change = {"quotes": [{"id": quote["id"], "update_fields": fields}]}
    shown = sdk.booking_modification_quote(package_id, change)
    assert _d(sdk.get_booking(package_id)["total_price"]) == _d(booking["total_price"])
    changed = sdk.confirm_booking_modification(package_id, shown["update_id"])
    assert _d(changed["total_price_diff"]) == _d(shown["total_price_diff"]) > 0
    assert _d(changed["total_price"]) == _d(booking["total_price"]) + _d(shown["total_price_diff"])

    # The end comes near: the renewal is priced, paid at once and in force.
    _passes(sdk, "25d")
    renewal = sdk.quote_for_renewal(package_id)
    due = renewal["quotes"][0]
    dates = {"id": due["id"], "policy_start_date": due["policy_start_date"]}
    renewed = sdk.renewal_confirmation(package_id, renewal["renewal_id"], dates)
    old, new = renewed["quotes"]
    assert (old["status"], new["status"]) == ("RENEWED", "CONFIRMED")
    assert new["policy_start_date"] == old["policy_end_date"] == quote["policy_end_date"]
    assert _d(renewed["total_price"]) == _d(renewal["total_price"]) == _d(new["price"])
    assert _d(renewal["total_price"]) > _d(changed["total_price"])

    # In the middle of the new year it is cancelled: what is left comes back.
    _passes(sdk, "190d")
    preview = sdk.cancel_booking(package_id, {"preview": True})
    done = sdk.confirm_booking_cancellation(package_id, preview["cancellation_id"])
    refund = _d(done["total_refund"])
    assert refund == _d(preview["total_refund"]) == refund.quantize(DIGITS[currency])
    assert Decimal("0.4") < refund / _d(new["price"]) < Decimal("0.6")
    assert sdk.get_booking(package_id)["status"] == "CANCELLED"
    truth = sandbox.package(package_id)["quotes"]
    assert [one["status"] for one in truth] == ["RENEWED", "CANCELLED"]
    assert truth[1]["refund"] == refund

    # And all of it was told.
    events = [one.event for one in sandbox.webhooks.sent]
    assert events == [
        "BOOKING_CREATED",
        "BOOKING_UPDATED",
        "RENEWAL_CREATED",
        "RENEWAL_NOTIFICATION",
        "BOOKING_UPDATED",
        "BOOKING_CANCELLED",
    ]
