"""An order is cancelled while it is being booked, or while it waits for its money."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import cover, worker
from django_xcover.booking import booking
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer
from django_xcover.clients import factory
from django_xcover.formats import format_amount
from django_xcover.models import (
    Cancellation,
    Choice,
    Flag,
    Operation,
    OperationState,
    Quote,
)
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from django_xcover.support import flag_texts
from django_xcover.types import Money
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.orders.cancelling.support import State, cancel, cancels, statuses, the_booking
from tests.shop import Order, Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def pending(accepted: Shopper, shop: Shop) -> Order:
    """Return an order that is booked and not paid for."""
    order = shop.order(pays_later=True)
    completion.complete(order, accepted.cart, paid=False)
    work()
    return order


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


# While it is being booked.


def test_an_order_cancelled_during_the_call_is_cancelled_as_soon_as_it_is_booked(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = booking._complete

    def cancelled_meanwhile(*args: Any) -> PackageAnswer:
        cancel(paid)
        worker.run(cancels()[0].pk)
        assert sandbox.calls("cancel_booking") == [], "the booking goes first"
        return complete(*args)

    monkeypatch.setattr(booking, "_complete", cancelled_meanwhile)
    work()
    assert the_package().status == "CONFIRMED"
    work()

    assert the_package().status == "CANCELLED"
    assert Cancellation.objects.get().state == State.CONFIRMED
    assert cover.order_cover(paid).state == "cancelled"
    assert the_package().attention == ""


def test_a_policy_that_xcover_left_out_does_not_keep_the_others_from_being_cancelled(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = booking._complete

    def cancelled_meanwhile(*args: Any) -> PackageAnswer:
        cancel(paid)
        return complete(*args)

    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    monkeypatch.setattr(booking, "_complete", cancelled_meanwhile)
    work()
    work()

    assert sorted(statuses().values()) == ["CANCELLED", "RECEIVED"]
    assert Cancellation.objects.get().state == State.CONFIRMED


def test_a_worker_that_has_the_booking_and_has_not_called_yet_does_not_call(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_for = factory.client_for

    def cancelled_meanwhile(account: str) -> XCoverClient:
        monkeypatch.setattr(factory, "client_for", client_for)
        cancel(paid)
        return client_for(account)

    monkeypatch.setattr(factory, "client_for", cancelled_meanwhile)
    work()
    work()

    assert sandbox.calls("create_booking") == []
    assert the_booking().state == OperationState.DISCARDED
    assert Cancellation.objects.get().state == State.NOT_NEEDED


def test_a_line_of_a_booking_under_way_is_cancelled_when_it_is_done(
    paid: Order, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "process_then_reset", times=5)
    work()
    assert not the_booking().outcome_known
    cancel(paid, lines=["ticket"])
    let_time_pass()
    work()

    assert statuses() == {"ticket": "CANCELLED", "laptop": "CONFIRMED"}
    assert the_package().attention == ""


@pytest.mark.parametrize("happened", [True, False])
def test_a_booking_of_unknown_outcome_is_read_and_never_posted_again(
    paid: Order, sandbox: Sandbox, happened: bool
) -> None:
    fault = "process_then_reset" if happened else "reset"
    sandbox.faults.add("create_booking", fault, times=5)
    work()
    posts = len(sandbox.calls("create_booking"))
    cancel(paid)
    let_time_pass()
    work()

    assert len(sandbox.calls("create_booking")) == posts
    assert the_package().status == ("CANCELLED" if happened else "RECEIVED")
    expected = State.CONFIRMED if happened else State.NOT_NEEDED
    assert Cancellation.objects.get().state == expected
    assert not Operation.objects.unfinished().exists()


@pytest.mark.parametrize("happened", [True, False])
def test_a_stuck_booking_of_unknown_outcome_is_read_and_left_to_nobody(
    paid: Order, sandbox: Sandbox, happened: bool
) -> None:
    fault = "process_then_reset" if happened else "reset"
    sandbox.faults.add("create_booking", fault, times=5)
    work()
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    cancel(paid)
    work()
    assert Cancellation.objects.get().state == State.REQUESTED, "a call may still be under way"
    let_time_pass()
    work()

    expected = State.CONFIRMED if happened else State.NOT_NEEDED
    assert Cancellation.objects.get().state == expected
    assert the_booking().state == OperationState.DISCARDED
    assert the_package().status == ("CANCELLED" if happened else "RECEIVED")


def test_what_was_never_booked_says_so(paid: Order, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "reset", times=5)
    work()
    cancel(paid)
    let_time_pass()
    work()

    told = "This cover is not in force yet, so there is nothing to cancel."
    assert cancellation.refusal_of(Cancellation.objects.get()) == told


# While it waits for the money.


def test_a_cancelled_order_still_shows_the_price_agreed_beside_the_one_booked(
    accepted: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    agreed = list(Quote.objects.order_by("pk").values_list("price", flat=True))
    sandbox.faults.add("create_booking", "wrong_price")
    order = shop.order(pays_later=True)
    completion.complete(order, accepted.cart, paid=False)
    work()

    cancel(order)

    quotes = list(Quote.objects.order_by("pk"))
    assert {quote.choice for quote in quotes} == {Choice.WITHDRAWN}
    assert [quote.chosen_price for quote in quotes] == agreed
    assert [quote.price for quote in quotes] != agreed
    why, _what_to_do = flag_texts.about(Flag.objects.get(), the_package(), quotes)
    assert format_amount(Money(agreed[0], the_package().currency)) in why


def test_a_pending_booking_is_not_confirmed_when_the_money_comes_after_all(
    pending: Order, sandbox: Sandbox
) -> None:
    cancel(pending)
    completion.complete(pending, paid=True)
    work()

    assert sandbox.calls("confirm_booking") == []
    assert cancels() == []
    assert cover.order_cover(pending).state == "cancelled"


def test_a_payment_that_is_being_confirmed_is_stopped_in_time(
    pending: Order, sandbox: Sandbox
) -> None:
    completion.complete(pending, paid=True)
    cancel(pending)
    work()

    assert sandbox.calls("confirm_booking") == []
    assert the_package().status == "PENDING_PAYMENT"


def test_a_line_taken_back_before_the_payment_is_cancelled_behind_it(
    pending: Order,
) -> None:
    cancel(pending, lines=["ticket"])
    completion.complete(pending, paid=True)
    completion.complete(pending, paid=True)
    work()

    assert statuses() == {"ticket": "CANCELLED", "laptop": "CONFIRMED"}
    assert len(cancels()) == 1


def test_a_payment_confirmed_without_an_answer_is_cancelled_behind_it(
    pending: Order, sandbox: Sandbox
) -> None:
    completion.complete(pending, paid=True)
    sandbox.faults.add("confirm_booking", "process_then_reset", times=5)
    work()
    cancel(pending)
    let_time_pass()
    work()

    assert the_package().status == "CANCELLED"
