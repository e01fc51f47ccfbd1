"""Buying what is to be insured, for the tests of what follows after the sale."""

from __future__ import annotations

from collections.abc import Callable

from django_xcover.models import QuotePackage
from django_xcover.types import PolicyRequest
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

Buy = Callable[..., QuotePackage]


def buys(shopper: Shopper, shop: Shop, *items: PolicyRequest, **cart: object) -> QuotePackage:
    """Return the booking of a paid order, with a policy for each item."""
    shopper.cart = shopper.cart.but(items=items, **cart)
    for line in range(len(shopper.cart.items)):
        shopper.says(yes=True, line=line)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()
