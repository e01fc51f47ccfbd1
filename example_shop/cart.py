"""The cart: product ids and quantities in the session, prices from the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from django_xcover.types import Money
from example_shop.markets import Market, market_of
from example_shop.models import Product

SESSION_KEY = "cart"
MOST_OF_ONE = 8


@dataclass(frozen=True, slots=True)
class CartLine:
    product: Product
    quantity: int
    unit_price: Money

    @property
    def reference(self) -> str:
        """Return the reference of this line within its cart."""
        return self.product.slug

    @property
    def total(self) -> Money:
        return Money(self.unit_price.amount * self.quantity, self.unit_price.currency)


class Cart:
    """One shopper's cart. Its lines are loaded once, with one query."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    @property
    def market(self) -> Market:
        return market_of(self._session)

    @property
    def reference(self) -> str:
        """Return this cart's reference, "" before the first item.

        It is random and never reused: quotes and the order are looked up by it.
        """
        return str(self._stored.get("reference", ""))

    @property
    def quantities(self) -> dict[str, int]:
        """Return the quantities by product primary key, as text."""
        return dict(self._stored.get("quantities", {}))

    @property
    def count(self) -> int:
        return sum(self.quantities.values())

    @cached_property
    def lines(self) -> tuple[CartLine, ...]:
        """Return the lines in the order they were added, without products no longer sold."""
        quantities = self.quantities
        on_sale = Product.objects.on_sale().filter(pk__in=quantities)
        products = {str(product.pk): product for product in on_sale}
        return tuple(
            CartLine(product, quantities[key], product.price_in(self.market.currency))
            for key in quantities
            if (product := products.get(key))
        )

    @property
    def is_empty(self) -> bool:
        return not self.quantities or not self.lines

    @property
    def total(self) -> Money:
        amount = sum((line.total.amount for line in self.lines), Decimal(0))
        return Money(amount, self.market.currency)

    @property
    def fingerprint(self) -> str:
        """Return a text that changes whenever the price of the cart could change."""
        lines = [f"{line.reference}*{line.quantity}@{line.unit_price}" for line in self.lines]
        return sha256("|".join([self.reference, *lines]).encode()).hexdigest()[:32]

    def add(self, product: Product, quantity: int) -> None:
        """Add `quantity` of `product`, up to `MOST_OF_ONE` in total."""
        self.set(product, self.quantities.get(str(product.pk), 0) + quantity)

    def set(self, product: Product, quantity: int) -> None:
        """Set the quantity of `product`; 0 removes it."""
        quantities = self.quantities
        quantities[str(product.pk)] = max(0, min(quantity, MOST_OF_ONE))
        self._store({key: count for key, count in quantities.items() if count})

    def clear(self) -> None:
        """Empty the cart; the next item starts a new one with a new reference."""
        self._session.pop(SESSION_KEY, None)
        self.__dict__.pop("lines", None)

    @property
    def _stored(self) -> dict[str, Any]:
        stored: dict[str, Any] = self._session.get(SESSION_KEY, {})
        return stored

    def _store(self, quantities: dict[str, int]) -> None:
        reference = self.reference or str(uuid.uuid4())
        self._session[SESSION_KEY] = {"reference": reference, "quantities": quantities}
        self.__dict__.pop("lines", None)
