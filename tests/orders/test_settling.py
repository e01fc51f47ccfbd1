"""The shop's two signals and what they set in motion."""

from __future__ import annotations

import logging

import pytest
from django.db import transaction

from django_xcover.models import (
    Choice,
    Decision,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
)
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_completed, payment_completed
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def completed(order: Order, cart: Cart | None = None) -> None:
    order_completed.send(sender=Order, order=order, cart=cart)


def paid(order: Order, cart: Cart | None = None) -> None:
    payment_completed.send(sender=Order, order=order, cart=cart)


def test_an_order_that_rolls_back_leaves_no_trace(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)

    with transaction.atomic():
        paid(shop.order(), shopper.cart)
        transaction.set_rollback(True)

    assert not Operation.objects.exists()
    assert the_package().order_reference == ""
    assert not sandbox.calls("create_booking")


def test_an_adapter_that_fails_does_not_undo_the_order(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr("tests.shop.Adapter.get_order_reference", lambda *_: 1 / 0)

    with transaction.atomic():
        paid(shop.order(), shopper.cart)
        usable = QuotePackage.objects.count()

    assert usable == 1
    assert "was not settled" in caplog.text


def test_an_unreadable_policyholder_is_told_to_a_person_and_not_to_the_log(
    shopper: Shopper, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    with caplog.at_level(logging.DEBUG):
        paid(shop.order(policyholder=None), shopper.cart)
        work()

    assert the_operation().kind == OperationKind.BOOK
    assert the_operation().failures == 1
    assert "ana@example.com" not in caplog.text
    assert "get_policyholder" in caplog.text


def test_an_order_from_another_cart_takes_no_package(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)

    paid(shop.order(), Cart(reference="cart-2"))

    assert not Operation.objects.exists()


def test_an_order_without_an_offer_is_no_business_of_ours(shop: Shop, sandbox: Sandbox) -> None:
    paid(shop.order(), Cart())

    assert not Operation.objects.exists()


def test_accepted_and_unpaid_waits(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)

    completed(shop.order(), shopper.cart)

    assert the_package().order_reference == "ORD-1"
    assert not Operation.objects.exists()


def test_accepted_and_paid_is_booked(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> None:
    shopper.says(yes=True)
    order = shop.order()
    completed(order, shopper.cart)
    paid(order)

    work()

    assert the_operation().state == OperationState.DONE
    assert the_package().status == "CONFIRMED"
    assert sandbox.package(the_package().package_id)["status"] == "CONFIRMED"


def test_signals_sent_again_and_again_book_once(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    for _ in range(3):
        completed(order, shopper.cart)
        paid(order, shopper.cart)
        work()

    assert Operation.objects.count() == 1
    assert len(sandbox.calls("create_booking")) == 1


def test_declined_is_opted_out_when_the_order_is_completed(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=False)
    order = shop.order()
    completed(order, shopper.cart)
    paid(order)

    work()

    assert the_operation().kind == OperationKind.OPT_OUT
    assert the_package().status == "OPTED_OUT"
    assert sandbox.package(the_package().package_id)["status"] == "OPTED_OUT"
    assert len(sandbox.calls("opt_out")) == 1


def test_unanswered_is_opted_out_and_on_record(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.sees()
    order = shop.order()
    completed(order, shopper.cart)
    completed(order, shopper.cart)

    work()

    assert Decision.objects.get().choice == Choice.UNANSWERED
    assert Decision.objects.get().order_reference == "ORD-1"
    assert the_package().status == "OPTED_OUT"


def test_payment_alone_settles_an_order_that_was_never_announced(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=False)

    paid(shop.order(), shopper.cart)

    assert the_operation().kind == OperationKind.OPT_OUT


def test_one_accepted_of_two_books_that_one(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=False, line=0)
    offer = shopper.says(yes=True, line=1)
    paid(shop.order(), shopper.cart)

    work()

    package = the_package()
    statuses = dict(package.quotes.values_list("label", "status"))
    assert statuses == {"Aero 14": "CONFIRMED", "Harbour Lights Festival": "RECEIVED"}
    assert package.total_price == offer.quotes[1].price.amount


def test_pay_later_is_booked_as_pending_and_confirmed_on_payment(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completed(order, shopper.cart)
    work()
    assert the_package().status == "PENDING_PAYMENT"

    paid(order)
    work()

    assert the_package().status == "CONFIRMED"
    assert sandbox.package(the_package().package_id)["status"] == "CONFIRMED"
    kinds = Operation.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [OperationKind.BOOK, OperationKind.CONFIRM_PAYMENT]


def test_pay_later_paid_before_the_booking_keeps_the_order_of_the_two(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completed(order, shopper.cart)
    paid(order)
    sandbox.faults.add("create_booking", "status", status=503, times=5)

    work()
    assert not sandbox.calls("confirm_booking")
    Operation.objects.update(next_attempt_at=the_package().created_at)
    work()

    assert the_package().status == "CONFIRMED"


def test_a_paid_order_that_pays_later_is_not_booked_twice(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)

    paid(order, shopper.cart)
    completed(order, shopper.cart)
    work()

    assert Operation.objects.count() == 1
    assert the_package().status == "CONFIRMED"
