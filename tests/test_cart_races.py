"""Races for one cart's packages between real connections."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.db import connection, transaction
from django.http import HttpRequest

from django_xcover.cover import freeze_cover, hold_cover
from django_xcover.exceptions import BeingPaid
from django_xcover.models import Hold, Operation, OperationKind, QuotePackage
from django_xcover.orders import cancellation
from tests import completion
from tests.conftest import Shopper, work
from tests.races import together
from tests.shop import Cart, Order, Shop

pytestmark = pytest.mark.django_db(transaction=True)
RequestFor = Callable[[Cart | None], HttpRequest]


def test_two_orders_of_one_cart_at_once_do_not_both_get_cover(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    shopper.cart = shopper.cart.but(currency="EUR")
    shopper.says(yes=True)

    def pay(order: Order) -> None:
        with transaction.atomic():
            completion.complete(order, shopper.cart, paid=True)

    made = [shop.order(f"ORD-{number}") for number in range(6)]
    results = together(*[lambda order=order: pay(order) for order in made])

    assert results == [None] * len(made)
    booking = Operation.objects.get(kind=OperationKind.BOOK)
    assert booking.package.currency == "EUR"
    assert QuotePackage.objects.exclude(order_reference="").count() == 1


@pytest.fixture
def repeatable_read() -> Iterator[None]:
    """Let this connection's transactions go on seeing what their first query saw."""
    if connection.vendor != "mysql":
        pytest.skip("Elsewhere a transaction that reads what changed meanwhile ends in an error.")
    with connection.cursor() as cursor:
        cursor.execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
    yield
    connection.close()


def test_a_payment_that_did_not_see_the_order_placed_is_confirmed_and_not_booked_again(
    shopper: Shopper, shop: Shop, repeatable_read: None
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)

    with transaction.atomic():
        assert QuotePackage.objects.count() == 1
        together(lambda: completion.complete(order, shopper.cart, paid=False))
        completion.complete(order, shopper.cart, paid=True)

    kinds = Operation.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [OperationKind.BOOK, OperationKind.CONFIRM_PAYMENT]


@pytest.mark.parametrize("yes", [True, False])
def test_an_order_told_twice_is_written_once_although_the_second_did_not_see_the_first(
    shopper: Shopper, shop: Shop, repeatable_read: None, yes: bool
) -> None:
    shopper.says(yes=yes)
    order = shop.order()

    with transaction.atomic():
        assert QuotePackage.objects.count() == 1
        together(lambda: completion.complete(order, shopper.cart, paid=True))
        completion.complete(order, shopper.cart, paid=True)

    assert Operation.objects.count() == 1


def test_cover_is_cancelled_with_its_order_although_the_shop_did_not_see_it_booked(
    shopper: Shopper, shop: Shop, repeatable_read: None
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)

    with transaction.atomic():
        assert QuotePackage.objects.count() == 1
        together(work)
        cancellation.cancel_order(order)
    work()

    assert QuotePackage.objects.get().status == "CANCELLED"


def test_a_cart_frozen_before_it_was_quoted_takes_no_answer_from_a_transaction_that_missed_it(
    shopper: Shopper, request_for: RequestFor, repeatable_read: None
) -> None:
    def freezes() -> str:
        hold_cover(request_for(shopper.cart))
        return shopper.sees().quotes[0].quote_id

    with transaction.atomic():
        assert not QuotePackage.objects.exists()
        (quote_id,) = together(freezes)
        with pytest.raises(BeingPaid):
            shopper.posts(quote_id, yes=True)


def test_an_order_takes_the_hold_that_its_transaction_did_not_see(
    shopper: Shopper, shop: Shop, request_for: RequestFor, repeatable_read: None
) -> None:
    shopper.says(yes=True)

    with transaction.atomic():
        assert not Hold.objects.exists()
        together(lambda: hold_cover(request_for(shopper.cart)))
        completion.complete(shop.order(), shopper.cart, paid=True)

    assert Hold.objects.get().order_reference == "ORD-1"


@pytest.mark.parametrize("yes", [True, False])
def test_the_last_answer_before_the_order_counts_whatever_the_transaction_saw_first(
    shopper: Shopper,
    shop: Shop,
    request_for: Callable[[Cart], HttpRequest],
    repeatable_read: None,
    yes: bool,
) -> None:
    quote_id = shopper.says(yes=not yes).quotes[0].quote_id

    with transaction.atomic():
        assert QuotePackage.objects.count() == 1  # as a session is read before the order is made
        together(lambda: shopper.posts(quote_id, yes=yes))
        cover = freeze_cover(request_for(shopper.cart))
        completion.complete(shop.order(), shopper.cart, paid=True)

    operation = Operation.objects.get()
    assert (cover.premium is not None) == yes
    assert operation.kind == (OperationKind.BOOK if yes else OperationKind.OPT_OUT)
    assert [quote["id"] for quote in operation.request.get("quotes", ())] == [quote_id] * yes
