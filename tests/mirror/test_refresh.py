"""Reading a package anew."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.client import XCoverClient, XCoverError
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.clients import factory
from django_xcover.mirror import packages, refresh
from django_xcover.models import Attention, Cancellation, Modification, QuotePackage
from django_xcover.policies import cancellation, modification
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox import quoting as theirs
from tests import completion
from tests.conftest import Shopper, resolve_flags, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.mark.parametrize("fault", ["reset", "garbage"])
def test_a_vendor_at_fault_leaves_the_mirror_as_it_was(
    shopper: Shopper, sandbox: Sandbox, fault: str
) -> None:
    shopper.sees()
    sandbox.faults.add("*", fault, times=None)

    with pytest.raises(XCoverError):
        refresh.refresh(the_package())

    assert the_package().status == "RECEIVED"


def test_a_cancellation_made_elsewhere_is_seen(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    package = the_package()
    factory.client_for("default").cancel_booking(package.package_id, idempotency_key="x")

    refreshed = refresh.refresh(package)

    assert refreshed.status == "CANCELLED"
    assert {quote.status for quote in refreshed.quotes.all()} == {"CANCELLED"}
    assert refreshed.attention == Attention.REFUND_UNCLEAR


def test_a_cancellation_of_our_own_is_no_surprise(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    cancellation.cancel_now(the_package(), origin=Cancellation.Origin.SHOP)
    factory.client_for("default").cancel_booking(the_package().package_id, idempotency_key="x")

    assert refresh.refresh(the_package()).attention == ""


def test_an_answer_that_was_overtaken_is_not_applied(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    read = refresh.find

    def somebody_cancels_right_after(client: Any, package_id: str) -> Any:
        monkeypatch.setattr(refresh, "find", read)
        answer = read(client, package_id)
        client.cancel_booking(package_id, idempotency_key="x")
        refresh.refresh(the_package())
        return answer

    monkeypatch.setattr(refresh, "find", somebody_cancels_right_after)

    refreshed = refresh.refresh(the_package())

    assert refreshed.status == "CANCELLED"
    assert refreshed.attention == Attention.REFUND_UNCLEAR
    assert {quote.status for quote in refreshed.quotes.all()} == {"CANCELLED"}


def test_a_look_for_somebody_who_waits_brings_back_nothing_older(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    honest = XCoverClient.get_booking

    def somebody_cancels_right_after(self: XCoverClient, package_id: str, **options: Any) -> Any:
        monkeypatch.setattr(XCoverClient, "get_booking", honest)
        answer = honest(self, package_id, **options)
        self.cancel_booking(package_id, idempotency_key="x")
        refresh.refresh(the_package())
        return answer

    monkeypatch.setattr(XCoverClient, "get_booking", somebody_cancels_right_after)

    refresh.refresh_once(the_package(), deadline=5)

    assert the_package().status == "CANCELLED"
    assert the_package().attention == Attention.REFUND_UNCLEAR
    assert the_package().payload["status"] == "CANCELLED"


def test_a_quote_is_refreshed_as_a_quote(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.sees()

    assert refresh.refresh(the_package()).status == "RECEIVED"
    assert not sandbox.calls("get_booking")


def test_a_status_that_cannot_follow_changes_nothing_and_is_flagged(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    QuotePackage.objects.update(status="CANCELLED")

    refreshed = refresh.refresh(the_package())

    assert refreshed.status == "CANCELLED"
    assert refreshed.attention == Attention.STATUS_UNEXPECTED


@pytest.mark.parametrize("status", ["CANCELLED", "DELETED"])
def test_a_policy_in_force_that_was_over_here_is_flagged(booked: QuotePackage, status: str) -> None:
    booked.quotes.update(status=status)

    refreshed = refresh.refresh(booked)

    assert refreshed.quotes.get().status == status
    assert refreshed.attention == Attention.STATUS_UNEXPECTED


@pytest.mark.parametrize("whole", [True, False])
def test_a_status_that_is_unknown_is_kept_and_flagged(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch, *, whole: bool
) -> None:
    read = package_from_wire(factory.client_for("default").get_booking(booked.package_id))
    quotes = tuple(replace(quote, status="ON_HOLD") for quote in read.quotes)
    status = "ON_HOLD" if whole else read.status

    packages.apply_answer(booked, replace(read, status=status, quotes=quotes))

    assert booked.quotes.get().status == "ON_HOLD"
    assert booked.attention == Attention.STATUS_UNEXPECTED


def test_an_unknown_status_of_an_offer_bothers_no_one(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.says(yes=True)
    package = the_package()
    read = package_from_wire(factory.client_for("default").get_quote(package.package_id))
    quotes = tuple(replace(quote, status="ON_HOLD") for quote in read.quotes)

    packages.apply_answer(package, replace(read, quotes=quotes))

    assert package.attention == ""


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking in force."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()


def test_a_price_that_moves_away_from_the_one_agreed_on_is_flagged(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_booking", "wrong_price")

    refreshed = refresh.refresh(booked)

    quote = refreshed.quotes.get()
    assert quote.chosen_price is not None
    assert quote.price > quote.chosen_price
    assert refreshed.attention == Attention.PRICE_DIFFERS


def test_a_price_that_a_person_has_looked_into_is_not_flagged_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_booking", "wrong_price", times=None)
    assert resolve_flags(refresh.refresh(booked), note="Refunded")

    assert refresh.refresh(the_package()).attention == ""


def test_a_price_that_moves_a_second_time_is_flagged_again(
    booked: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.add("get_booking", "wrong_price", times=None)
    assert resolve_flags(refresh.refresh(booked), note="Refunded")
    monkeypatch.setattr(theirs, "WRONG_PRICE", Decimal(2))

    assert refresh.refresh(the_package()).attention == Attention.PRICE_DIFFERS


def test_a_price_that_is_as_agreed_again_raises_no_flag(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_booking", "wrong_price")
    assert resolve_flags(refresh.refresh(booked), note="Looked again")

    refreshed = refresh.refresh(the_package())

    assert refreshed.quotes.get().price == refreshed.quotes.get().chosen_price
    assert refreshed.attention == ""


def settled_change(booked: QuotePackage) -> Modification:
    """Return a change of the tickets' price that is paid and not yet made."""
    changed = modification.quote_change(
        booked,
        quote=booked.quotes.get(),
        update_fields={"tickets": [{"price": 90}, {"price": 90}]},
        origin=Cancellation.Origin.SHOPPER,
    )
    modification.settle(changed)
    return changed


def test_a_change_that_is_being_made_may_move_the_price_to_nothing_else(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    settled_change(booked)
    sandbox.faults.add("get_booking", "wrong_price")

    assert refresh.refresh(booked).attention == Attention.PRICE_DIFFERS


def leave_out_the_total(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let XCover describe a booking without its total, as it may."""
    read = XCoverClient.get_booking

    def without(self: XCoverClient, *args: Any, **options: Any) -> Any:
        return {**read(self, *args, **options), "total_price": None}

    monkeypatch.setattr(XCoverClient, "get_booking", without)


@pytest.mark.parametrize("has_total", [True, False])
def test_a_change_that_is_being_made_may_move_the_price(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch, has_total: bool
) -> None:
    changed = settled_change(booked)
    if not has_total:
        leave_out_the_total(monkeypatch)
    factory.client_for("default").confirm_booking_modification(
        booked.package_id, changed.update_id, {}, idempotency_key="x"
    )

    refreshed = refresh.refresh(booked)  # the webhook overtakes the worker

    assert refreshed.total_price == changed.price_after
    assert refreshed.attention == ""
