"""Orders whose adapter fails at the moment that counts: kept, asked again, and seen by a person."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy

from django_xcover import tasks
from django_xcover.cover import freeze_cover, order_cover
from django_xcover.models import (
    Operation,
    OperationKind,
    OrderEvent,
    Quote,
    QuotePackage,
)
from django_xcover.orders import events
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled, order_completed, payment_completed
from django_xcover.testing.factories import OrderEventFactory
from tests.conftest import Shopper, resolve_flags, the_operation, the_package, work
from tests.shop import ANA, Adapter, Cart, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]

State = OrderEvent.State


class Number(Enum):
    FIRST = "ORD-1"


def completed(order: Order, cart: Cart | None = None) -> None:
    with transaction.atomic():
        order_completed.send(sender=Order, order=order, cart=cart)


def paid(order: Order, cart: Cart | None = None) -> None:
    with transaction.atomic():
        payment_completed.send(sender=Order, order=order, cart=cart)


def cancelled(order: Order) -> None:
    with transaction.atomic():
        order_cancelled.send(sender=Order, order=order)


def breaks(method: str, times: int = 1) -> Callable[[pytest.MonkeyPatch], None]:
    """Return what makes a method of the adapter fail so often, on what a customer typed."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        honest, calls = getattr(Adapter, method), iter(range(times))

        def fail(self: Adapter, *args: Any) -> Any:
            if next(calls, None) is not None:
                raise ValueError(ANA.email)
            return honest(self, *args)

        monkeypatch.setattr(Adapter, method, fail)

    return patch


def let_a_worker_ask_again() -> None:
    OrderEvent.objects.update(next_attempt_at=timezone.now())
    events.sweep()
    work()


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


def until_a_person_is_needed(shop: Shop) -> None:
    """Let the shop not know its orders for as long as a worker asks."""
    known, shop.orders = shop.orders, {}
    for _ in range(6):
        let_a_worker_ask_again()
    shop.orders = known
    assert OrderEvent.objects.needing_person().exists()


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


@pytest.mark.parametrize("value", [None, "", "x" * 101, "ORD\0", "ORD\ud800", ["ORD-1"], object()])
def test_an_order_without_a_usable_number_is_named_by_its_type_in_the_log(
    shopper: Shopper,
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    value: Any,
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "get_order_reference", lambda *_: value)

    paid(shop.order(), shopper.cart)
    cancelled(shop.order())

    assert "An order (Order without a number) was not settled: UnusableValue" in caplog.text
    assert "get_order_reference" in caplog.text
    assert not Operation.objects.exists()
    assert order_cover(shop.order()).state == "none"


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (4711, "4711"),
        (uuid.UUID(int=7), str(uuid.UUID(int=7))),
        (Number.FIRST, "ORD-1"),
        (gettext_lazy("ORD-1"), "ORD-1"),
    ],
)
def test_an_orders_number_may_be_of_any_type_that_has_a_text(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, value: Any, kept: str
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "get_order_reference", lambda *_: value)

    paid(shop.order(), shopper.cart)
    work()

    assert (the_package().order_reference, the_package().status) == (kept, "CONFIRMED")
    assert order_cover(shop.order()).state == "booked"


@pytest.mark.parametrize("value", [None, {"first_name": "Ana"}, "Ana", object()])
def test_a_policyholder_of_another_type_is_left_to_a_person_in_words(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "get_policyholder", lambda *_: value)

    paid(shop.order(), shopper.cart)
    work()

    operation = the_operation()
    assert (operation.kind, operation.state) == (OperationKind.BOOK, "needs_person")
    assert operation.error["message"].startswith("get_policyholder returned a ")


@pytest.mark.parametrize("value", [True, 1, datetime(2026, 3, 2, tzinfo=UTC)])
def test_an_order_is_paid_also_where_the_shop_returns_when_it_was(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    shopper.says(yes=True)
    monkeypatch.setattr(Adapter, "is_paid", lambda *_: value, raising=False)

    completed(shop.order(), shopper.cart)
    work()

    assert the_package().status == "CONFIRMED"


def test_of_an_order_without_cover_only_the_cancellation_is_kept(shop: Shop) -> None:
    order = shop.order()
    completed(order, Cart())
    paid(order)
    cancelled(order)

    assert [event.kind for event in OrderEvent.objects.all()] == ["cancelled"]
    assert not QuotePackage.objects.exists()


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
