"""Freezing, answering, quoting and ordering at once, in each order, between real connections.

Each interleaving is made by hand: one transaction stands still while another goes on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.cover import freeze_cover, hold_cover
from django_xcover.exceptions import BeingPaid, OfferClosed
from django_xcover.models import Hold, Operation, OperationKind, Quote, QuotePackage
from django_xcover.offers import carts, holds
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_completed, payment_completed
from tests.conftest import Shopper, work
from tests.races import meanwhile, together
from tests.shop import Cart, Order, Shop, ticket

pytestmark = pytest.mark.django_db(transaction=True)
RequestFor = Callable[[Cart | None], HttpRequest]


@pytest.fixture
def concurrent_writers() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Elsewhere an answer waits until the freeze has committed, and is refused.")


def places(order: Order, cart: Cart) -> None:
    order_completed.send(sender=Order, order=order, cart=cart)


def pays(order: Order) -> list[str]:
    """Pay the order, and return the statuses of what was quoted after a worker's work."""
    payment_completed.send(sender=Order, order=order)
    work()
    return list(Quote.objects.order_by("pk").values_list("status", flat=True))


def test_a_yes_that_is_committed_between_freeze_and_order_is_not_booked(
    shopper: Shopper, shop: Shop, request_for: RequestFor, concurrent_writers: None
) -> None:
    with transaction.atomic():
        assert freeze_cover(request_for(shopper.cart)).premium is None
        together(lambda: shopper.says(yes=True))
        assert Quote.objects.accepted().exists(), "it was answered while the order was made"
        places(shop.order(), shopper.cart)

    assert pays(shop.orders["ORD-1"]) == ["RECEIVED"]
    assert not Operation.objects.exists()
    assert not Quote.objects.accepted().exists(), "and it has lapsed, so that it is on record"


def test_a_yes_that_is_committed_before_the_freeze_is_charged_and_booked(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    together(lambda: shopper.says(yes=True))
    with transaction.atomic():
        premium = freeze_cover(request_for(shopper.cart)).premium
        places(shop.order(), shopper.cart)

    assert premium == Quote.objects.get().cost
    assert pays(shop.orders["ORD-1"]) == ["CONFIRMED"]


def test_a_yes_that_waits_for_the_freeze_comes_too_late(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    quote_id = shopper.says(yes=False).quotes[0].quote_id

    with ExitStack() as after, transaction.atomic():
        assert freeze_cover(request_for(shopper.cart)).premium is None
        answers = after.enter_context(meanwhile(lambda: shopper.posts(quote_id, yes=True)))
        places(shop.order(), shopper.cart)

    assert isinstance(answers[0], OfferClosed)
    assert pays(shop.orders["ORD-1"]) == ["RECEIVED"]


@pytest.mark.parametrize("yes", [True, False])
def test_an_answer_that_waits_for_the_hold_is_refused(
    shopper: Shopper, request_for: RequestFor, yes: bool
) -> None:
    quote_id = shopper.says(yes=yes).quotes[0].quote_id

    with ExitStack() as after, transaction.atomic():
        freeze_cover(request_for(shopper.cart))
        answers = after.enter_context(meanwhile(lambda: shopper.posts(quote_id, yes=not yes)))

    assert isinstance(answers[0], BeingPaid)
    assert Quote.objects.accepted().exists() == yes


@pytest.mark.parametrize("yes", [True, False])
def test_a_hold_that_waits_for_an_answer_charges_that_answer(
    shopper: Shopper, request_for: RequestFor, yes: bool
) -> None:
    quote_id = shopper.says(yes=not yes).quotes[0].quote_id

    with ExitStack() as after, transaction.atomic():
        shopper.posts(quote_id, yes=yes)
        covers = after.enter_context(meanwhile(lambda: hold_cover(request_for(shopper.cart))))

    assert (covers[0].premium is not None) == yes


def test_a_requote_that_waits_for_the_hold_leaves_what_was_charged_alone(
    shopper: Shopper, request_for: RequestFor, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    before, shopper.cart = shopper.cart, shopper.cart.but(items=(ticket(count=3),))

    with ExitStack() as after, transaction.atomic():
        premium = freeze_cover(request_for(before)).premium
        after.enter_context(meanwhile(shopper.sees))

    assert premium is not None
    assert Quote.objects.accepted().get().cost == premium
    assert sandbox.calls("update_quote") == []
    assert QuotePackage.objects.count() == 2


def test_of_eight_orders_under_one_hold_one_gets_the_cover(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    cover = hold_cover(request_for(shopper.cart))
    orders = [shop.order(f"ORD-{number}") for number in range(8)]

    def place(order: Order) -> None:
        with transaction.atomic():
            order_completed.send(sender=Order, order=order, cart=None, hold=cover.hold)
        payment_completed.send(sender=Order, order=order)

    results = together(*[lambda order=order: place(order) for order in orders])

    assert results == [None] * 8
    assert Operation.objects.filter(kind=OperationKind.BOOK).count() == 1
    assert Hold.objects.get().order_reference == QuotePackage.objects.get().order_reference


@pytest.mark.parametrize("sweeps", [True, False])
def test_an_order_and_the_end_of_its_hold_do_not_wait_for_each_other(
    shopper: Shopper, shop: Shop, request_for: RequestFor, sweeps: bool
) -> None:
    shopper.says(yes=True)
    reference = hold_cover(request_for(shopper.cart)).hold
    if sweeps:
        Hold.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    end = holds.sweep if sweeps else lambda: holds.release(reference)

    with ExitStack() as after, transaction.atomic():
        carts.lock_all("default", shopper.cart.reference)
        ended = after.enter_context(meanwhile(end))
        # By its cart: packages first, then the hold.
        places(shop.order(), shopper.cart)

    assert ended == [[] if sweeps else False]
    assert pays(shop.orders["ORD-1"]) == ["CONFIRMED"]
