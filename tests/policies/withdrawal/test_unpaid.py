"""Withdrawing from cover whose money has not come, and money that comes all the same."""

from __future__ import annotations

import pytest

from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationState,
    QuotePackage,
)
from django_xcover.orders import cancellation as with_orders
from django_xcover.policies.cancellation import outcome, requests
from django_xcover.sandbox import Sandbox
from django_xcover.support.follow_ups import AWAITS_REFUND
from django_xcover.types import Money
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.policies.withdrawal.support import (
    State,
    is_owed,
    let_time_pass,
    line,
    prepared,
    price_of,
    states,
    statuses,
    the_booking,
)
from tests.shop import Order, Shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def pending(accepted: Shopper, shop: Shop) -> QuotePackage:
    """Return a package that is booked and not paid for."""
    completion.complete(shop.order(pays_later=True), accepted.cart, paid=False)
    work()
    return the_package()


@pytest.mark.parametrize("kind", ["unpaid", "pending"])
def test_cover_that_is_not_paid_is_withdrawn_from_and_nothing_is_owed(
    kind: str, request: pytest.FixtureRequest, sandbox: Sandbox
) -> None:
    stated = states(prepared(request.getfixturevalue(kind)))
    work()

    assert (stated.cancellation.state, stated.cancellation.refund) == (
        State.CONFIRMED,
        Money(price_of("ticket").amount * 0, "GBP"),
    )
    assert not Cancellation.objects.filter(AWAITS_REFUND).exists()
    assert sandbox.calls("confirm_booking") == []


@pytest.mark.parametrize("kind", ["unpaid", "pending"])
def test_money_that_comes_after_the_statement_books_nothing_and_alerts_a_person(
    kind: str, request: pytest.FixtureRequest, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    states(prepared(request.getfixturevalue(kind)))
    completion.complete(Order(), paid=True)
    work()

    assert sandbox.calls("confirm_booking") == []
    assert the_package().attention == Attention.PAID_IN_VAIN
    assert "Order ORD-1 was paid after its cover was cancelled" in caplog.text


def test_money_that_comes_for_a_part_that_was_withdrawn_from_alerts_a_person(
    unpaid: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    states(prepared(unpaid, line("ticket")))
    completion.complete(Order(), paid=True)
    completion.complete(Order(), paid=True)
    work()

    assert statuses() == {"ticket": "RECEIVED", "laptop": "CONFIRMED"}
    assert the_package().attention == Attention.PAID_IN_VAIN
    assert caplog.text.count("Order ORD-1 was paid after part of its cover was withdrawn") == 1


@pytest.mark.parametrize("by_customer", [True, False])
def test_the_true_reason_is_given_for_what_is_cancelled_behind_a_late_payment(
    pending: QuotePackage, order: Order, sandbox: Sandbox, by_customer: bool
) -> None:
    if by_customer:
        states(prepared(pending, line("ticket")))
    else:
        with_orders.cancel_order(order, ["ticket"])
    completion.complete(order, paid=True)
    work()
    work()

    assert len(sandbox.calls("cancel_booking")) == 1
    why = "The customer has withdrawn." if by_customer else "The order was cancelled."
    assert Cancellation.objects.get(origin=Cancellation.Origin.SHOP).reason == why


@pytest.mark.parametrize("origin", Cancellation.Origin)
def test_a_booking_that_is_read_and_not_found_is_discarded_for_the_reason_of_its_cancellation(
    paid: QuotePackage, order: Order, sandbox: Sandbox, origin: Cancellation.Origin
) -> None:
    sandbox.faults.add("create_booking", "reset", times=5)
    work()
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    if origin == Cancellation.Origin.SHOP:
        with_orders.cancel_order(order)
    elif origin == Cancellation.Origin.SHOPPER:
        states(prepared(paid))
    else:
        requests.enqueue(paid, paid.quotes.all(), origin=origin)
    let_time_pass()
    work()

    why = {"shop": "The order was", "shopper": "The customer has", "staff": "The cover was"}
    assert the_booking().error["message"].startswith(why[origin])


def test_a_yes_taken_back_names_no_reason_that_may_be_wrong(paid: QuotePackage) -> None:
    states(prepared(paid))

    assert line("ticket").get_choice_display() == "taken back before it was booked"


def test_a_line_that_the_shop_itself_took_out_alerts_nobody_when_the_rest_is_paid(
    unpaid: QuotePackage, order: Order
) -> None:
    with_orders.cancel_order(order, ["ticket"])
    completion.complete(order, paid=True)

    assert the_package().attention == ""


def test_a_payment_that_waits_to_be_confirmed_is_stopped_and_owed(
    pending: QuotePackage, sandbox: Sandbox
) -> None:
    completion.complete(Order(), paid=True)
    stated = states(prepared(pending))
    work()

    assert sandbox.calls("confirm_booking") == []
    is_owed(stated.cancellation, price_of("ticket", "laptop"))


def test_one_policy_of_a_booking_that_is_being_confirmed_is_cancelled_right_behind(
    pending: QuotePackage,
) -> None:
    completion.complete(Order(), paid=True)
    stated = states(prepared(pending, line("ticket")))
    work()
    work()

    assert statuses() == {"ticket": "CANCELLED", "laptop": "CONFIRMED"}
    is_owed(stated.cancellation, price_of("ticket"))
    assert Cancellation.objects.count() == 1


def test_cover_that_is_booked_after_all_is_refunded_twice_by_no_machine(
    paid: QuotePackage,
) -> None:
    """XCover books what it seemed not to have, and refunds what the shop returns already."""
    first = states(prepared(paid)).cancellation
    package = the_package()
    second = requests.create(
        package, package.quotes.all(), state=State.REQUESTED, origin=first.origin, reason=""
    )

    outcome.conclude(package, second, {"total_refund": first.total_refund})

    assert the_package().attention == Attention.REFUND_UNCLEAR
