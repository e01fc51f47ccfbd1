"""Answers with what no column and no page can hold: kept as far as they go, shown without it.

Found by `python -m tests.fuzz`.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from django_xcover.cover import order_cover
from django_xcover.mirror import refresh
from django_xcover.models import OperationState, QuotePackage
from django_xcover.outbox import lease
from django_xcover.policies.documents import WORDING
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking in force."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()


def test_a_long_name_of_a_policy_is_cut_and_the_offer_shown(
    shopper: Shopper, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer_with(monkeypatch, "create_quote", long_names)

    (quote,) = shopper.sees().quotes

    stored = the_package().quotes.get()
    assert quote.quote_id == stored.quote_id
    assert len(stored.policy_name) == 200


def test_an_address_too_long_to_be_one_does_not_replace_the_policyholders(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = booked.policyholder_email
    answer_with(monkeypatch, "get_booking", long_address)

    refresh.refresh(booked)

    assert the_package().policyholder_email == before != ""


@pytest.mark.parametrize("seconds", [1e300, 10.0**12])
def test_a_wait_of_years_is_a_day(seconds: float) -> None:
    latest = timezone.now() + timedelta(days=1, minutes=1)

    assert lease.next_attempt(1, seconds) < latest


def test_an_endless_wait_does_not_leave_the_operation_running(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "throttle", seconds=10**15, times=None)

    work()

    assert the_operation().state == OperationState.PENDING


@pytest.mark.parametrize("address", ["https://[::1", "https://[x]/", "https://a\u2100b/"])
def test_an_address_that_is_none_is_no_link_and_no_error(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    answer_with(monkeypatch, "create_quote", wording_at(address))

    (quote,) = shopper.sees().quotes

    assert quote.pds_url == ""


@pytest.mark.parametrize("address", ["https://[::1", "https://[x]/", "https://a\u2100b/"])
def test_an_address_that_is_none_is_no_document(
    booked: QuotePackage, shop: Shop, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    answer_with(monkeypatch, "get_booking", wording_at(address))

    refresh.refresh(booked)

    (policy,) = order_cover(shop.order()).policies
    assert WORDING not in policy.documents


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Pacific/Kiritimati"])
@pytest.mark.parametrize("moment", ["0001-01-01", "9999-12-31T23:59:59Z"])
def test_an_offer_without_a_real_beginning_or_end_is_shown_in_every_time_zone(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch, moment: str, zone: str
) -> None:
    """Such moments stand for none, and no clock but UTC's can show them."""
    answer_with(monkeypatch, "create_quote", lasting(moment))

    (quote,) = shopper.sees().quotes

    assert quote.starts is not None
    shown = timezone.localtime(quote.starts, ZoneInfo(zone))
    assert abs(shown.year - int(moment[:4])) <= 1


@pytest.mark.parametrize("status", ["CONFIRMED", "FAILED", "SOMETHING_NEW"])
def test_what_is_no_quote_package_is_no_offer(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """No answer to it could be recorded: the shopper would be told that the order is placed."""
    answer_with(monkeypatch, "create_quote", lambda answer: answer.update(status=status))

    with pytest.raises(AssertionError):
        shopper.sees()

    assert not QuotePackage.objects.exists()


def long_names(answer: Any) -> None:
    """Give each quote a policy with a name longer than its column.

    Its type is the one asked for: another is refused, however long it is.
    """
    for quote in answer["quotes"].values():
        quote["policy"] |= {"policy_name": "n" * 500}


def long_address(answer: Any) -> None:
    """Give the policyholder an address of a thousand letters."""
    answer["policyholder"]["email"] = "x" * 1000 + "@example.com"


def lasting(moment: str) -> Callable[[Any], None]:
    """Return what lets each quote begin and end at `moment`."""

    def put(answer: Any) -> None:
        for quote in answer["quotes"].values():
            quote |= {"policy_start_date": moment, "policy_end_date": moment}

    return put


def wording_at(address: str) -> Callable[[Any], None]:
    """Return what puts `address` where the wording of each policy is."""

    def put(answer: Any) -> None:
        quotes = answer["quotes"]
        for quote in quotes.values() if isinstance(quotes, dict) else quotes:
            quote["pds_url"] = address

    return put


def answer_with(monkeypatch: pytest.MonkeyPatch, name: str, change: Any) -> None:
    """Let the client's call `name` answer what XCover did, changed."""
    from django_xcover.client import XCoverClient

    call = getattr(XCoverClient, name)

    def changed(self: Any, *args: Any, **options: Any) -> Any:
        answer = call(self, *args, **options)
        change(answer)
        return answer

    monkeypatch.setattr(XCoverClient, name, changed)
