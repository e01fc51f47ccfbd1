"""Withdrawing from cover that is agreed and not booked counts at once, and the money is owed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.core import mail

from django_xcover import cover
from django_xcover.exceptions import AlreadyCancelled, NotInForce
from django_xcover.models import (
    Attention,
    Cancellation,
    Decision,
    OperationState,
    Quote,
    QuotePackage,
    Status,
    Withdrawal,
)
from django_xcover.orders import cancellation as with_orders
from django_xcover.policies import record_refund
from django_xcover.policies import withdrawal as withdrawing
from django_xcover.sandbox import Sandbox
from django_xcover.support.follow_ups import AWAITS_REFUND
from django_xcover.testing.factories import OrderEventFactory
from django_xcover.types import Money
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.policies.withdrawal.support import (
    cancels,
    is_owed,
    let_time_pass,
    line,
    prepared,
    price_of,
    states,
    statuses,
    the_booking,
    the_flag,
)
from tests.shop import ANA, Order, Shop, laptop

pytestmark = pytest.mark.django_db
# Nothing was sent yet.


def test_cover_that_is_paid_and_not_booked_is_withdrawn_from_at_once_and_never_booked(
    paid: QuotePackage,
    sandbox: Sandbox,
    announced: list[Cancellation],
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    draft = prepared(paid)
    with django_capture_on_commit_callbacks(execute=True):
        stated = states(draft, name="Ana Costa", email="ana@example.net")
    work()

    assert stated == Withdrawal.objects.get()
    assert "Ana Costa" in stated.statement
    assert the_booking().state == OperationState.DISCARDED
    assert the_booking().request == {}
    assert sandbox.calls("create_booking") == sandbox.calls("cancel_booking") == []
    assert (cancels(), announced) == (0, [stated.cancellation])
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert "Order ORD-1" in caplog.text
    assert "ana@example.net" not in caplog.text
    assert cover.order_cover(Order()).state == "cancelled"


def test_the_receipt_and_the_refund_go_out_also_when_nothing_was_booked(
    paid: QuotePackage,
) -> None:
    stated = states(prepared(paid), email="ana@example.net")

    withdrawing.send_due(stated.pk)

    receipt, outcome = mail.outbox
    assert stated.statement in receipt.body
    assert "£" in outcome.body
    assert "insurer has cancelled" not in outcome.body


def test_name_and_address_on_record_are_those_of_the_booking_that_is_taken_back(
    paid: QuotePackage,
) -> None:
    stated = states(prepared(paid))

    assert (stated.name, stated.email) == ("Ana Rossi", "ana@example.com")


def test_name_and_address_on_record_are_never_those_of_another_order(
    paid: QuotePackage, shopper: Shopper, shop: Shop
) -> None:
    shopper.cart = shopper.cart.but(reference="cart-2")
    shopper.says(yes=True)
    stranger = replace(ANA, first_name="Bo", last_name="Berg", email="bo@example.com")
    completion.complete(shop.order("ORD-2", policyholder=stranger), shopper.cart, paid=True)

    stated = states(prepared(paid))

    assert (stated.name, stated.email) == ("Ana Rossi", "ana@example.com")


def test_a_refund_of_the_premium_is_recorded_like_any_other(paid: QuotePackage) -> None:
    stated = states(prepared(paid))

    record_refund(stated.cancellation, price_of("ticket", "laptop"), reference="re_1")

    assert not Cancellation.objects.filter(AWAITS_REFUND).exists()


def test_only_the_policy_that_is_withdrawn_from_is_left_out(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    stated = states(prepared(paid, line("ticket")))
    work()

    assert statuses() == {"ticket": "RECEIVED", "laptop": "CONFIRMED"}
    assert cancels() == 0
    is_owed(stated.cancellation, price_of("ticket"))
    assert Decision.objects.get(choice="withdrawn").quote == line("ticket")
    assert the_package().attention == ""


def test_a_booking_that_xcover_refused_and_a_person_has_is_taken_back(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    work()
    assert the_booking().state == OperationState.NEEDS_PERSON

    stated = states(prepared(paid))
    work()

    assert the_booking().state == OperationState.DISCARDED
    assert len(sandbox.calls("create_booking")) == 1
    is_owed(stated.cancellation, price_of("ticket", "laptop"))


@pytest.fixture
def in_parts(shopper: Shopper, shop: Shop, settings: Any) -> Money:
    """Order cover that is paid in instalments, and return the first one."""
    settings.XCOVER = {**settings.XCOVER, "OFFER_INSTALMENTS": True}
    shopper.cart = shopper.cart.but(items=(laptop(),))
    (plan, *_others) = shopper.sees().quotes[0].plans
    shopper.says(yes=True, plan=plan.name)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return plan.first


def test_a_first_instalment_is_what_comes_back_where_it_is_all_that_was_charged(
    in_parts: Money,
) -> None:
    is_owed(states(prepared(the_package())).cancellation, in_parts)


def test_a_payment_that_is_not_settled_yet_is_not_taken_for_none(unpaid: QuotePackage) -> None:
    OrderEventFactory.create(paid=True, order_reference=unpaid.order_reference)

    states(prepared(unpaid))
    work()

    assert Cancellation.objects.get().total_refund is None
    assert the_flag().reason == Attention.REFUND_UNCLEAR


def test_a_premium_that_is_not_known_any_more_is_brought_before_a_person(in_parts: Money) -> None:
    Quote.objects.update(payload={})

    stated = states(prepared(the_package()))

    assert stated.cancellation.refund is None
    assert the_package().attention == Attention.REFUND_UNCLEAR


@pytest.mark.parametrize(("sent", "refund"), [(False, 0), (True, None)])
def test_what_xcover_charges_itself_was_not_charged_before_it_was_booked(
    paid: QuotePackage, sandbox: Sandbox, sent: bool, refund: int | None
) -> None:
    QuotePackage.objects.update(customer_token_id="token")
    if sent:
        sandbox.faults.add("create_booking", "reset", times=5)
        work()

    stated = states(prepared(paid))
    let_time_pass()
    work()

    stated.cancellation.refresh_from_db()
    assert stated.cancellation.total_refund == refund
    assert the_package().attention == ("" if refund == 0 else Attention.REFUND_UNCLEAR)


# The same again.


def test_the_same_statement_from_another_tab_is_the_first_one(
    paid: QuotePackage, announced: list[Cancellation], django_capture_on_commit_callbacks: Any
) -> None:
    one, other = prepared(paid), prepared(paid)

    with django_capture_on_commit_callbacks(execute=True):
        first = states(one)
        assert states(one) == states(other) == first

    assert Withdrawal.objects.count() == len(announced) == 1


def test_a_second_tab_with_more_policies_withdraws_from_the_rest(paid: QuotePackage) -> None:
    both, one = prepared(paid), prepared(paid, line("ticket"))
    first = states(one)

    rest = states(both)

    assert list(rest.cancellation.quotes.all()) == [line("laptop")]
    assert line("ticket").quote_id not in rest.statement
    is_owed(first.cancellation, price_of("ticket"))
    is_owed(rest.cancellation, price_of("laptop"))


def test_a_draft_made_before_the_booking_is_cancelled_at_xcover_when_it_is_booked_by_then(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    draft = prepared(paid)
    work()

    stated = states(draft)
    work()

    assert set(statuses().values()) == {Status.CANCELLED}
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert len(sandbox.calls("cancel_booking")) == 1


def test_an_order_that_the_shop_has_cancelled_is_over(paid: QuotePackage, order: Order) -> None:
    draft = prepared(paid)
    with_orders.cancel_order(order)

    with pytest.raises(AlreadyCancelled):
        states(draft)
    with pytest.raises(AlreadyCancelled):
        prepared(paid)


def test_an_order_that_the_shop_cancels_afterwards_changes_nothing(
    paid: QuotePackage, order: Order
) -> None:
    stated = states(prepared(paid))
    with_orders.cancel_order(order)
    work()

    assert Cancellation.objects.get() == stated.cancellation


# What is no contract.


def test_an_offer_that_was_not_taken_is_nothing_to_withdraw_from(
    shopper: Shopper, order: Order
) -> None:
    shopper.says(yes=False)
    completion.complete(order, shopper.cart, paid=True)

    with pytest.raises(NotInForce):
        prepared(the_package())


def test_a_yes_that_is_not_ordered_is_nothing_to_withdraw_from(shopper: Shopper) -> None:
    shopper.says(yes=True)

    with pytest.raises(NotInForce):
        prepared(the_package())
