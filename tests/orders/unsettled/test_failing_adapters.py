"""An order whose adapter fails is settled later, or by a person."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import Mock

import pytest
from django.db import transaction
from django.utils import timezone

from django_xcover import tasks
from django_xcover.models import Cancellation, Operation, OrderEvent, Quote
from django_xcover.orders import events
from django_xcover.policies.cancellation import requests
from django_xcover.signals import order_cancelled, order_completed
from django_xcover.testing.factories import OrderEventFactory
from tests.buying import buys
from tests.conftest import Shopper, the_package, work
from tests.orders.unsettled.support import (
    State,
    breaks,
    completed,
    let_a_worker_ask_again,
    paid,
    until_a_person_is_needed,
)
from tests.shop import ANA, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.mark.parametrize("method", ["pays_later", "is_paid", "get_policyholder"])
def test_one_exception_when_the_order_is_completed_costs_no_cover(
    shopper: Shopper,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
) -> None:
    shopper.says(yes=True)
    breaks(method)(monkeypatch)
    order = shop.order(pays_later=True)

    completed(order, shopper.cart)
    let_a_worker_ask_again()

    assert the_package().status == "PENDING_PAYMENT"
    assert "ORD-1" in caplog.text
    assert ANA.email not in caplog.text


@pytest.mark.parametrize("method", ["get_account", "get_cart_reference"])
def test_a_payment_with_its_cart_repairs_an_order_whose_cart_could_not_be_read(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    shopper.says(yes=True)
    breaks(method, times=2)(monkeypatch)
    order = shop.order()
    completed(order, shopper.cart)

    paid(order, shopper.cart)
    work()

    assert the_package().status == "CONFIRMED"


def test_a_payment_repairs_an_order_whose_adapter_failed_after_the_take_over(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    breaks("pays_later")(monkeypatch)
    order = shop.order()
    completed(order, shopper.cart)

    paid(order)
    work()
    let_a_worker_ask_again()

    assert the_package().status == "CONFIRMED"
    assert OrderEvent.objects.get().state == State.DONE
    assert Operation.objects.count() == 1


def test_an_account_that_could_not_be_read_is_known_by_the_carts_packages(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    breaks("get_account", times=2)(monkeypatch)
    order = shop.order()
    completed(order, shopper.cart)
    paid(order)  # without its cart: it waits behind the order

    let_a_worker_ask_again()
    let_a_worker_ask_again()

    assert the_package().status == "CONFIRMED"


def test_an_order_whose_cart_is_never_known_ends_with_a_person(
    shopper: Shopper,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shopper.says(yes=True)
    breaks("get_cart_reference", times=99)(monkeypatch)
    completed(shop.order(), shopper.cart)

    for _ in range(6):
        let_a_worker_ask_again()

    event = OrderEvent.objects.get()
    assert (event.state, event.order_reference, event.attempts) == (State.NEEDS_PERSON, "ORD-1", 5)
    assert event.error == "The cart that the order was made from is unknown."
    assert "Order ORD-1 (completed) needs a person" in caplog.text
    assert ANA.email not in caplog.text


def test_what_a_person_has_mended_is_tried_again(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    breaks("pays_later", times=6)(monkeypatch)
    completed(shop.order(pays_later=True), shopper.cart)
    for _ in range(6):
        let_a_worker_ask_again()

    assert events.retry(OrderEvent.objects.get())
    let_a_worker_ask_again()

    assert the_package().status == "PENDING_PAYMENT"
    assert not events.retry(OrderEvent.objects.get())


def test_an_order_that_the_shop_does_not_know_waits(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    breaks("pays_later")(monkeypatch)
    completed(shop.order(), shopper.cart)
    shop.orders.clear()

    let_a_worker_ask_again()

    assert OrderEvent.objects.get().error == "The shop does not know this order."


def test_a_payment_waits_for_the_person_that_its_order_waits_for(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    breaks("get_account", times=2)(monkeypatch)
    order = shop.order()
    completed(order, shopper.cart)
    until_a_person_is_needed(shop)
    paid(order)  # without its cart
    let_a_worker_ask_again()

    assert events.retry(OrderEvent.objects.earliest("pk"))
    for _ in range(3):
        let_a_worker_ask_again()

    assert the_package().status == "CONFIRMED"
    assert not OrderEvent.objects.unsettled().exists()


def test_an_order_that_rolls_back_leaves_no_event(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    breaks("pays_later")(monkeypatch)

    with transaction.atomic():
        order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
        transaction.set_rollback(True)

    assert not OrderEvent.objects.exists()


def test_an_order_that_is_reported_again_is_kept_once(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    breaks("pays_later", times=3)(monkeypatch)
    order = shop.order()
    for _ in range(3):
        completed(order, shopper.cart)

    assert OrderEvent.objects.count() == 1


def test_old_settled_cancellations_are_deleted_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(events, "BATCH", 1)
    kept = [
        OrderEventFactory.create(cancelled=True).pk,
        OrderEventFactory.create(cancelled=True, needs_person=True).pk,
        OrderEventFactory.create(cancelled=True, settled_by_hand=True).pk,
        OrderEventFactory.create(completed=True, done=True).pk,
    ]
    OrderEventFactory.create(cancelled=True, done=True)
    OrderEventFactory.create(cancelled=True, state=State.NOTED)
    OrderEvent.objects.update(created_at=timezone.now() - timedelta(days=91))
    kept.append(OrderEventFactory.create(cancelled=True, done=True).pk)

    tasks.forget_personal_data()

    assert sorted(OrderEvent.objects.values_list("pk", flat=True)) == sorted(kept)


def test_the_lines_of_an_unknown_order_are_logged_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.atomic():
        order_cancelled.send(sender=Order, order=shop.order(), lines=["socks"])

    let_a_worker_ask_again()

    assert caplog.text.count("Line 'socks' of order ORD-1") == 1


def test_an_order_that_needs_a_person_is_logged_once(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    event = OrderEventFactory.create(order_reference="ORD-1", attempts=4)

    let_a_worker_ask_again()

    event.refresh_from_db()
    assert event.state == State.NEEDS_PERSON
    assert [row.levelname for row in caplog.records if "ORD-1" in row.getMessage()] == ["CRITICAL"]


def test_a_cancellation_that_failed_is_carried_out_later_for_the_same_order_and_lines(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    buys(shopper, shop, ticket(), laptop())
    with monkeypatch.context() as patch, transaction.atomic():
        patch.setattr(requests, "enqueue", Mock(side_effect=ValueError(ANA.email)))
        order_cancelled.send(
            sender=Order, order=shop.orders["ORD-1"], lines=["laptop"], reason="Returned"
        )
    assert OrderEvent.objects.get().state == State.PENDING

    let_a_worker_ask_again()

    cancelled = Quote.objects.filter(status="CANCELLED")
    assert list(cancelled.values_list("line_reference", flat=True)) == ["laptop"]
    assert Cancellation.objects.get().reason == "Returned"
    assert OrderEvent.objects.get().state == State.DONE
