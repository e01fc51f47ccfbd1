"""Races for one cart's packages between real connections."""

from __future__ import annotations

import pytest
from django.db import transaction

from django_xcover.models import Operation, OperationKind, QuotePackage
from django_xcover.services import orders
from tests.conftest import Shopper
from tests.shop import Order, Shop
from tests.test_races import together

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_orders_of_one_cart_at_once_do_not_both_get_cover(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    shopper.cart = shopper.cart.but(currency="EUR")
    shopper.says(yes=True)

    def pay(order: Order) -> None:
        with transaction.atomic():
            orders.complete(order, shopper.cart, paid=True)

    made = [shop.order(f"ORD-{number}") for number in range(6)]
    results = together(*[lambda order=order: pay(order) for order in made])

    assert results == [None] * len(made)
    booking = Operation.objects.get(kind=OperationKind.BOOK)
    assert booking.package.currency == "EUR"
    assert QuotePackage.objects.exclude(order_reference="").count() == 1
