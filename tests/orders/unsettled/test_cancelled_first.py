"""An order that is cancelled before it could be settled gets no cover."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.db import transaction
from django.http import HttpRequest

from django_xcover.cover import freeze_cover
from django_xcover.models import OrderEvent, Quote, QuotePackage
from django_xcover.orders import events
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled
from tests.conftest import Shopper, resolve_flags, the_package, work
from tests.orders.unsettled.support import (
    State,
    breaks,
    cancelled,
    completed,
    let_a_worker_ask_again,
    paid,
    until_a_person_is_needed,
)
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def test_an_order_cancelled_before_it_could_be_settled_gets_no_cover(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    breaks("get_account", times=2)(monkeypatch)
    order = shop.order(pays_later=True)
    completed(order, shopper.cart)
    cancelled(order)

    for _ in range(3):
        let_a_worker_ask_again()

    assert not Quote.objects.filter(choice="accepted").exists()
    assert sandbox.package(the_package().package_id)["status"] != "CONFIRMED"


@pytest.mark.parametrize("is_looked_at", [True, False])
@pytest.mark.parametrize("send", [completed, paid])
def test_an_order_cancelled_before_it_is_completed_gets_no_cover(
    shopper: Shopper,
    shop: Shop,
    caplog: pytest.LogCaptureFixture,
    send: Callable[[Order, Cart], None],
    is_looked_at: bool,
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)

    cancelled(order)
    if is_looked_at:
        let_a_worker_ask_again()
    send(order, shopper.cart)
    for _ in range(2):
        let_a_worker_ask_again()

    assert Quote.objects.get().choice == "withdrawn"
    assert not Quote.objects.booked().exists()
    assert not OrderEvent.objects.unsettled().exists()
    alarm = "Order ORD-1 was paid after its cover was cancelled"
    assert (alarm in caplog.text) == (send is paid)


def test_a_line_cancelled_before_the_order_is_completed_is_not_covered(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    order = shop.order()

    with transaction.atomic():
        order_cancelled.send(sender=Order, order=order, lines=["ticket"])
    paid(order, shopper.cart)
    work()

    booked = Quote.objects.booked().values_list("line_reference", flat=True)
    assert list(booked) == ["laptop"]


def test_a_settled_cancellation_is_not_repeated_with_the_shops_next_signal(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    with transaction.atomic():
        order_cancelled.send(sender=Order, order=order, lines=["nowhere"])
    let_a_worker_ask_again()
    paid(order, shopper.cart)
    assert the_package().flags.open().get().reason == "line_unknown"
    assert resolve_flags(the_package(), "A line of another shop.")

    paid(order, shopper.cart)

    assert not the_package().flags.open().exists()


def test_a_cancellation_of_an_unknown_order_is_kept_once_and_holds_up_no_payment(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    order = shop.order("ORD-2")
    shop.orders.clear()

    cancelled(order)
    paid(order)
    let_a_worker_ask_again()
    cancelled(order)

    assert [event.state for event in OrderEvent.objects.all()] == [State.DONE]


def test_an_order_that_was_frozen_without_cover_leaves_nothing_to_settle(
    shopper: Shopper, shop: Shop, request_for: Callable[[Cart], HttpRequest]
) -> None:
    shopper.says(yes=False)
    order = shop.order()
    freeze_cover(request_for(shopper.cart.but(reference="another")))
    completed(order, shopper.cart.but(reference="another"))

    cancelled(order)

    assert not OrderEvent.objects.unsettled().exists()


@pytest.mark.parametrize("send", [completed, paid])
@pytest.mark.parametrize("is_cancelled_first", [True, False])
def test_an_order_cancelled_before_a_person_retries_it_gets_no_cover(
    shopper: Shopper,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    send: Callable[[Order, Cart], None],
    is_cancelled_first: bool,
) -> None:
    shopper.says(yes=True)
    breaks("get_account", times=2)(monkeypatch)
    order = shop.order(pays_later=True)
    send(order, shopper.cart)
    if is_cancelled_first:
        cancelled(order)
    until_a_person_is_needed(shop)
    if not is_cancelled_first:
        cancelled(order)
    let_a_worker_ask_again()

    assert events.retry(OrderEvent.objects.earliest("pk"))
    for _ in range(3):
        let_a_worker_ask_again()

    assert not OrderEvent.objects.unsettled().exists()
    assert not Quote.objects.filter(choice="accepted").exists()
    assert not Quote.objects.booked().exists()


def test_a_payment_that_arrives_behind_a_waiting_cancellation_is_not_booked(
    shopper: Shopper,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
    caplog: pytest.LogCaptureFixture,
) -> None:
    shopper.says(yes=True)
    breaks("get_account", times=2)(monkeypatch)
    order = shop.order()
    completed(order, shopper.cart)
    cancelled(order)

    paid(order, shopper.cart)
    work()

    assert "Order ORD-1 was paid after its cover was cancelled" in caplog.text
    assert sandbox.calls("create_booking") == []


def test_of_an_order_without_cover_only_the_cancellation_is_kept(shop: Shop) -> None:
    order = shop.order()
    completed(order, Cart())
    paid(order)
    cancelled(order)

    assert [event.kind for event in OrderEvent.objects.all()] == ["cancelled"]
    assert not QuotePackage.objects.exists()
