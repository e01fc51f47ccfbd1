"""Fixtures with a booking at a local XCover, as the services make it."""

from __future__ import annotations

import pytest

from django_xcover.models import QuotePackage
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Cart, Shop, laptop, ticket


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking of two policies, for tickets and for a laptop."""
    shopper.cart = Cart(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()
