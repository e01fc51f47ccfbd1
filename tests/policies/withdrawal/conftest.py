"""Cover of tickets and of a laptop that is agreed, in each state before it is booked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_xcover import signals
from django_xcover.models import Cancellation, QuotePackage
from tests import completion
from tests.conftest import Shopper, the_package
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
def paid(accepted: Shopper, order: Order) -> QuotePackage:
    """Return the package of a paid order whose booking has not begun."""
    completion.complete(order, accepted.cart, paid=True)
    return the_package()


@pytest.fixture
def unpaid(accepted: Shopper, order: Order) -> QuotePackage:
    """Return the package of an order whose money has not come, so that nothing is booked."""
    completion.complete(order, accepted.cart, paid=False)
    return the_package()


@pytest.fixture
def announced() -> Iterator[list[Cancellation]]:
    """Return the cancellations that `policy_cancelled` has announced."""
    heard: list[Cancellation] = []

    def hear(sender: type, cancellation: Cancellation, **kwargs: Any) -> None:
        heard.append(cancellation)

    signals.policy_cancelled.connect(hear)
    yield heard
    signals.policy_cancelled.disconnect(hear)
