"""A laptop's cover for a year, paid in parts and about to end: everything can be asked of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.core.cache import cache

from django_xcover.booking import instant_booking
from django_xcover.cover import book_instantly
from django_xcover.models import (
    Cancellation,
    Instalment,
    Modification,
    Operation,
    Quote,
    QuotePackage,
    Renewal,
)
from django_xcover.offers.carts import CartToInsure
from django_xcover.policies import cancellation, instalments, modification
from django_xcover.policies import renewal as renewing
from django_xcover.types import QuoteRequest
from tests import completion as orders
from tests.conftest import ReadCart, Shopper, the_package, work
from tests.shop import Shop, laptop

BOUGHT = datetime(2026, 5, 1, 9, tzinfo=UTC)
ENDS = datetime(2027, 5, 1, 9, tzinfo=UTC)


class Buyer:
    """Somebody who insures a laptop, and asks for what can be asked for afterwards."""

    def __init__(
        self, shopper: Shopper, shop: Shop, clock: time_machine.Traveller, read: ReadCart
    ) -> None:
        item = laptop()
        yearly = replace(item, fields={**item.fields, "term": 12})
        shopper.cart = shopper.cart.but(items=(yearly,))
        self.shopper, self.shop, self._clock, self._read = shopper, shop, clock, read

    def orders(self, *, yes: bool = True, paid: bool = True) -> None:
        """Place the order; what XCover has to do is still to be done."""
        self.shopper.says(yes=yes)
        if yes:
            Quote.objects.update(instalment_plan="1year-monthly")
        order = self.shop.order(pays_later=not paid)
        orders.complete(order, self.shopper.cart, paid=paid)

    def pays_later(self) -> None:
        """Order on invoice, and pay; XCover has still to be told of the payment."""
        self.orders(paid=False)
        work()
        orders.complete(self.shop.order(), self.shopper.cart, paid=True)

    def cart(self) -> CartToInsure:
        """Return the cart as a page of the shop reads it."""
        return self._read(self.shopper.cart)

    def request(self) -> QuoteRequest:
        """Return what a product page asks the price of."""
        return QuoteRequest(
            currency="GBP",
            customer_country="GB",
            customer_language="en",
            items=tuple(self.shopper.cart.items),
        )

    def orders_at_once(self) -> None:
        """Pay for a price from a product page, which is to be quoted and booked in one call."""
        offer = instant_booking.price(self.request())
        assert offer is not None
        book_instantly(self.shop.order(), self.request(), agreed=offer.prices)

    def has_cover(self) -> QuotePackage:
        """Return the booking."""
        self.orders()
        work()
        return the_package()

    def previews(self) -> Cancellation:
        """Ask what cancelling gives back."""
        return cancellation.preview(the_package(), origin=Cancellation.Origin.SHOPPER)

    def asks_for_a_price(self) -> Modification:
        """Ask what it costs that the laptop is worth more."""
        package = the_package()
        fields = {"price": Decimal(1500)}
        return modification.quote_change(
            package, quote=package.quotes.get(), update_fields=fields, origin="shopper"
        )

    def comes_back_at_the_end(self) -> Renewal:
        """Let the year pass but for twenty days, and return the renewal."""
        self._clock.move_to(ENDS - timedelta(days=20))
        [renewal] = renewing.find_due()
        return renewal

    def second_part(self) -> Instalment:
        """Return the first instalment that is not paid."""
        return instalments.mirror(the_package())[1]


@pytest.fixture
def buyer(shopper: Shopper, shop: Shop, read: ReadCart) -> Iterator[Buyer]:
    """Return somebody with a laptop in the cart, on the day it is bought."""
    cache.clear()
    with time_machine.travel(BOUGHT, tick=False) as clock:
        yield Buyer(shopper, shop, clock, read)
    cache.clear()


def the_latest() -> Operation:
    """Return the operation that was written last."""
    return Operation.objects.latest("pk")
