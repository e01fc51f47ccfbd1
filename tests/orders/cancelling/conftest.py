"""An order of tickets and a laptop, in each state in which a shop may cancel it."""

from __future__ import annotations

import pytest

from tests import completion
from tests.conftest import Shopper, work
from tests.shop import Order, Shop, laptop, ticket


@pytest.fixture
def order(shop: Shop) -> Order:
    return shop.order()


@pytest.fixture
def accepted(shopper: Shopper) -> Shopper:
    """Return a shopper who has said yes to cover of tickets and of a laptop."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    return shopper


@pytest.fixture
def paid(accepted: Shopper, order: Order) -> Order:
    """Return a paid order whose booking has not begun."""
    completion.complete(order, accepted.cart, paid=True)
    return order


@pytest.fixture
def booked(paid: Order) -> Order:
    """Return an order whose two policies are booked."""
    work()
    return paid
