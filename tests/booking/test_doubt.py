"""A doubt about what XCover did stays until XCover itself has answered it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils import timezone

from django_xcover import signals
from django_xcover.booking import instant_booking
from django_xcover.client import HeldBack, XCoverClient
from django_xcover.cover import book_instantly
from django_xcover.mirror import refresh
from django_xcover.models import Cancellation, Operation, OperationState, Quote
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money, QuoteRequest
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def order(shop: Shop) -> Order:
    return shop.order()


@pytest.fixture
def lost_answer(shopper: Shopper, order: Order, sandbox: Sandbox) -> Operation:
    """Return a booking that XCover has made, and whose answer was lost."""
    shopper.says(yes=True)
    completion.complete(order, shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "process_then_reset", times=5)
    work()
    assert not the_operation().outcome_known
    return the_operation()


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


def try_again() -> Operation:
    let_time_pass()
    work()
    return the_operation()


def cancel_the_order_for_good(order: Order, lines: list[str] | None = None) -> None:
    signals.order_cancelled.send(sender=Order, order=order, lines=lines)
    for _ in range(3):
        let_time_pass()
        work()


def hold_back(*args: object) -> None:
    raise HeldBack("the rate limit is used up", retry_after=0.1)


@pytest.mark.parametrize("fault", ["reset", "status", "throttle"])
def test_a_look_that_fails_does_not_settle_what_a_lost_answer_left_open(
    lost_answer: Operation, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("get_quote", fault, times=9)

    assert not try_again().outcome_known


def test_a_call_that_was_held_back_settles_nothing(
    lost_answer: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "find", hold_back)

    assert not try_again().outcome_known


@pytest.mark.parametrize("status", [401, 403])
def test_keys_that_are_not_accepted_settle_nothing(
    lost_answer: Operation, sandbox: Sandbox, status: int
) -> None:
    sandbox.faults.add("get_quote", "status", status=status, times=9)

    again = try_again()

    assert again.state == OperationState.NEEDS_PERSON
    assert not again.outcome_known


def test_a_look_that_is_refused_settles_nothing(lost_answer: Operation, sandbox: Sandbox) -> None:
    sandbox.faults.add("get_quote", "status", status=422, times=9)

    assert not try_again().outcome_known


def test_a_refusal_of_the_same_booking_settles_it(
    shopper: Shopper, order: Order, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(order, shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "reset", times=5)
    work()
    assert not the_operation().outcome_known
    sandbox.faults.clear()
    sandbox.faults.add("create_booking", "status", status=422, times=1)

    assert try_again().outcome_known, "or nobody could mend the order and retry"


@pytest.fixture
def unseen(shopper: Shopper, order: Order, sandbox: Sandbox) -> Operation:
    """Return a booking of two policies, not yet made, whose answer will leave one out."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    completion.complete(order, shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    return the_operation()


@pytest.mark.parametrize("fault", ["reset", "status", "hang"])
def test_a_look_that_fails_after_the_booking_does_not_undo_it(
    unseen: Operation, order: Order, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("get_booking", fault, times=9, seconds=0.05)
    work()
    assert not the_operation().outcome_known
    sandbox.faults.clear()

    cancel_the_order_for_good(order)

    assert [package["status"] for package in sandbox.packages()] == ["CANCELLED"]


def test_a_look_that_is_held_back_after_the_booking_does_not_undo_it(
    unseen: Operation, order: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(XCoverClient, "get_booking", hold_back)
        work()
    assert the_operation().attempts == 1, "or the next attempt would not look before it posts"

    cancel_the_order_for_good(order)

    assert [package["status"] for package in sandbox.packages()] == ["CANCELLED"]


def test_an_order_cancelled_while_xcover_cannot_be_read_is_cancelled_there_too(
    lost_answer: Operation, order: Order, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_quote", "reset", times=5)
    try_again()
    sandbox.faults.clear()

    cancel_the_order_for_good(order)

    assert the_package().status == "CANCELLED"
    assert [package["status"] for package in sandbox.packages()] == ["CANCELLED"]


@pytest.fixture
def lost_instant(order: Order, sandbox: Sandbox) -> Iterator[Operation]:
    """Return an instant booking that XCover has made, and whose answer was lost."""
    cache.clear()
    request = QuoteRequest(
        currency="GBP", customer_country="GB", customer_language="en", items=(laptop(), ticket())
    )
    offer = instant_booking.price(request)
    assert offer is not None
    book_instantly(order, request, agreed=dict[str, Money](offer.prices))
    sandbox.faults.add("instant_booking", "process_then_reset", times=5)
    work()
    sandbox.faults.clear()
    yield the_operation()
    cache.clear()


def test_an_order_cancelled_while_its_instant_booking_is_in_doubt_is_cancelled_at_xcover(
    lost_instant: Operation, order: Order, sandbox: Sandbox
) -> None:
    cancel_the_order_for_good(order)

    assert [package["status"] for package in sandbox.packages()] == ["CANCELLED"]
    assert the_package().status == "CANCELLED"


@pytest.mark.parametrize("lines", [None, ["laptop"]])
def test_a_cancellation_waits_for_a_stuck_instant_booking_which_nobody_can_read(
    lost_instant: Operation, order: Order, sandbox: Sandbox, lines: list[str] | None
) -> None:
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    cancel_the_order_for_good(order, lines)
    assert Cancellation.objects.get().state == Cancellation.State.REQUESTED

    assert operations.retry(Operation.objects.get(pk=lost_instant.pk))
    for _ in range(2):
        let_time_pass()
        work()

    assert Cancellation.objects.get().state == Cancellation.State.CONFIRMED
    assert Quote.objects.get(line_reference="laptop").status == "CANCELLED"
    assert the_package().status == ("CANCELLED" if lines is None else "CONFIRMED")


def test_an_instant_booking_of_unknown_outcome_is_never_booked_under_another_key(
    lost_instant: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("instant_booking", "status", status=403, times=1)
    stuck = try_again()
    assert stuck.state == OperationState.NEEDS_PERSON

    assert operations.retry(stuck)
    work()

    booked = [package for package in sandbox.packages() if package["status"] == "CONFIRMED"]
    assert len(booked) == 1
