"""The cart: product numbers and quantities in the session, prices always from the database."""

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
        """Return what names this line within its cart."""
        return self.product.slug

    @property
    def total(self) -> Money:
        return Money(self.unit_price.amount * self.quantity, self.unit_price.currency)


class Cart:
    """One shopper's cart. Reading it costs one query, however often its lines are asked for."""

    def __init__(self, session: SessionBase) -> None:
        self._session = session

    @property
    def market(self) -> Market:
        return market_of(self._session)

    @property
    def reference(self) -> str:
        """Return this cart's own number, "" before the first item.

        It is random and never used again: quotes and the order are found by it.
        """
        return str(self._stored.get("reference", ""))

    @property
    def quantities(self) -> dict[str, int]:
        """Return how many of which product, by the product's primary key as text."""
        return dict(self._stored.get("quantities", {}))

    @property
    def count(self) -> int:
        return sum(self.quantities.values())

    @cached_property
    def lines(self) -> tuple[CartLine, ...]:
        """Return the lines in the order they were added; a product no longer sold is left out."""
        quantities = self.quantities
        found = Product.objects.on_sale().filter(pk__in=quantities)
        products = {str(product.pk): product for product in found}
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
        """Return a text that changes with anything the shopper would pay for differently."""
        lines = [f"{line.reference}*{line.quantity}@{line.unit_price}" for line in self.lines]
        return sha256("|".join([self.reference, *lines]).encode()).hexdigest()[:32]

    def add(self, product: Product, quantity: int) -> None:
        """Put `quantity` more of `product` into the cart, up to `MOST_OF_ONE`."""
        self.set(product, self.quantities.get(str(product.pk), 0) + quantity)

    def set(self, product: Product, quantity: int) -> None:
        """Hold exactly `quantity` of `product`; 0 takes it out."""
        quantities = self.quantities
        quantities[str(product.pk)] = max(0, min(quantity, MOST_OF_ONE))
        self._store({key: count for key, count in quantities.items() if count})

    def clear(self) -> None:
        """Forget the cart and its reference: the next item starts another one."""
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
