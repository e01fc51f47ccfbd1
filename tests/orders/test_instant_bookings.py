"""Orders cancelled before their cover is booked instantly: not booked, and never silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.cover import book_instantly, freeze_cover, price_instantly
from django_xcover.models import Operation, OrderEvent, Quote, QuotePackage
from django_xcover.orders import events
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled, payment_completed
from django_xcover.types import QuoteRequest
from tests.conftest import Shopper, resolve_flags, work
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]

REQUEST = QuoteRequest(
    currency="GBP",
    customer_country="GB",
    customer_language="en",
    items=(laptop("instant laptop"), ticket("instant ticket")),
)


@pytest.fixture(autouse=True)
def empty_cache(sandbox: Sandbox) -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def cancels(order: Order, lines: Sequence[str] | None = None) -> None:
    with transaction.atomic():
        order_cancelled.send(sender=Order, order=order, lines=lines)


def books(order: Order) -> Operation:
    offer = price_instantly(REQUEST)
    assert offer is not None
    operation = book_instantly(order, REQUEST, agreed=offer.prices)
    work()
    return operation


def in_force() -> set[str]:
    return set(Quote.objects.booked().values_list("line_reference", flat=True))


def the_instant_package() -> QuotePackage:
    return QuotePackage.objects.filter(quotes__line_reference="instant laptop").get()


def let_a_worker_ask_again() -> None:
    OrderEvent.objects.update(next_attempt_at=timezone.now())
    events.sweep()
    work()


@pytest.mark.parametrize("is_asked_again", [False, True])
def test_an_order_cancelled_before_its_instant_booking_is_not_insured(
    shop: Shop, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, is_asked_again: bool
) -> None:
    order = shop.order()
    cancels(order)
    if is_asked_again:
        let_a_worker_ask_again()

    operation = books(order)

    assert in_force() == set()
    assert sandbox.calls("instant_booking") == []
    assert operation.state == "discarded"
    assert the_instant_package().attention == "paid_in_vain"
    assert "Order ORD-1 was paid after its cover was cancelled" in caplog.text


def test_a_line_cancelled_before_its_instant_booking_is_not_insured(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    order = shop.order()
    cancels(order, ["instant ticket"])

    books(order)
    let_a_worker_ask_again()

    confirmed = Quote.objects.filter(status="CONFIRMED").values_list("line_reference", flat=True)
    assert list(confirmed) == ["instant laptop"]
    assert the_instant_package().attention == "paid_in_vain"
    assert "Order ORD-1 was paid after part of its cover was cancelled" in caplog.text


def test_an_order_with_both_kinds_of_cover_is_cancelled_with_both(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    with transaction.atomic():
        payment_completed.send(sender=Order, order=order, cart=shopper.cart)
    work()
    cancels(order)
    work()

    books(order)

    assert not Quote.objects.filter(status="CONFIRMED").exists()
    assert the_instant_package().attention == "paid_in_vain"


def test_an_order_frozen_without_cover_and_cancelled_is_not_booked_instantly(
    shopper: Shopper, shop: Shop, request_for: Callable[[Cart], HttpRequest]
) -> None:
    shopper.says(yes=False)
    order = shop.order()
    freeze_cover(request_for(shopper.cart.but(reference="another")))
    with transaction.atomic():
        payment_completed.send(
            sender=Order, order=order, cart=shopper.cart.but(reference="another")
        )
    cancels(order)

    books(order)

    assert in_force() == set()
    assert the_instant_package().attention == "paid_in_vain"


def test_the_other_cover_of_the_order_is_not_cancelled_again(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    order = shop.order()
    with transaction.atomic():
        payment_completed.send(sender=Order, order=order, cart=shopper.cart)
    work()
    cart_package = QuotePackage.objects.get()
    cancels(order, ["of another shop"])
    assert resolve_flags(cart_package, "A line of another shop.")

    books(order)

    cart_package.refresh_from_db()
    assert cart_package.attention == ""
    assert in_force() == {"ticket", "instant laptop", "instant ticket"}


def test_a_repeated_instant_booking_cancels_nothing_again(shop: Shop) -> None:
    order = shop.order()
    cancels(order, ["instant ticket"])
    books(order)
    assert resolve_flags(the_instant_package(), "Refunded.")

    books(order)

    assert the_instant_package().attention == ""


def test_what_a_person_settled_by_hand_does_not_keep_cover_from_being_booked(shop: Shop) -> None:
    order = shop.order()
    cancels(order)
    OrderEvent.objects.update(state=OrderEvent.State.GIVEN_UP)

    books(order)

    assert in_force() == {"instant laptop", "instant ticket"}


def test_a_cancellation_of_an_order_that_is_booked_instantly_is_not_kept(shop: Shop) -> None:
    order = shop.order()
    books(order)

    cancels(order)
    work()

    assert not Quote.objects.filter(status="CONFIRMED").exists()
    assert not OrderEvent.objects.exists()
