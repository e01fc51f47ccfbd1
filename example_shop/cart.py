"""The cart: product ids, quantities and details in the session, prices from the database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from django_xcover.types import Money
from example_shop.details import Details, DetailsForm, form_for
from example_shop.markets import Market, market_of
from example_shop.models import Product

SESSION_KEY = "cart"
MOST_OF_ONE = 8
# The length of the order line's column.
LONGEST_SUMMARY = 170


@dataclass(frozen=True, slots=True)
class CartLine:
    """One product. `details` says more about a trip, a parcel or a flat."""

    product: Product
    quantity: int
    unit_price: Money
    details: Details | None = None

    @property
    def reference(self) -> str:
        """Return the reference of this line within its cart."""
        return self.product.slug

    @property
    def summary(self) -> str:
        """Return where an event is, or what is known about a trip, a parcel or a flat."""
        where = self.product.location if self.product.is_event else ""
        return str(self.details or where)[:LONGEST_SUMMARY]

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
        lines = (
            self._line(product, quantities[key])
            for key in quantities
            if (product := products.get(key))
        )
        return tuple(line for line in lines if line)

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
        lines = [
            f"{line.reference}*{line.quantity}@{line.unit_price}{line.details!r}"
            for line in self.lines
        ]
        return sha256("|".join([self.reference, *lines]).encode()).hexdigest()[:32]

    def add(self, product: Product, quantity: int) -> None:
        """Add `quantity` of `product`, up to `MOST_OF_ONE` in total."""
        self.set(product, self.quantities.get(str(product.pk), 0) + quantity)

    def set(self, product: Product, quantity: int) -> None:
        """Set the quantity of `product`; 0 removes it."""
        quantities = self.quantities
        quantities[str(product.pk)] = max(0, min(quantity, MOST_OF_ONE))
        self._store({key: count for key, count in quantities.items() if count})

    def book(self, product: Product, form: DetailsForm) -> None:
        """Set the details of `product`, which is in the cart once."""
        details = {
            **self._details,
            str(product.pk): {name: form.data[name] for name in form.fields},
        }
        self._store({**self.quantities, str(product.pk): 1}, details)

    def typed(self, product: Product) -> dict[str, str]:
        """Return what the shopper typed about `product`, empty if it isn't in the cart."""
        return self._details.get(str(product.pk), {})

    def clear(self) -> None:
        """Empty the cart; the next item starts a new one with a new reference."""
        self._session.pop(SESSION_KEY, None)
        self.__dict__.pop("lines", None)

    def _line(self, product: Product, quantity: int) -> CartLine | None:
        """Return the line, or None if its details are no longer valid."""
        price = product.price_in(self.market.currency)
        form = form_for(product, self.market, self.typed(product))
        if form is None:
            return CartLine(product, quantity, price)
        if not form.is_valid():
            return None
        return CartLine(product, form.quantity(), price, form.details())

    @property
    def _stored(self) -> dict[str, Any]:
        stored: dict[str, Any] = self._session.get(SESSION_KEY, {})
        return stored

    @property
    def _details(self) -> dict[str, dict[str, str]]:
        return dict(self._stored.get("details", {}))

    def _store(
        self, quantities: dict[str, int], details: dict[str, dict[str, str]] | None = None
    ) -> None:
        known = self._details if details is None else details
        self._session[SESSION_KEY] = {
            "reference": self.reference or str(uuid.uuid4()),
            "quantities": quantities,
            "details": {key: known[key] for key in known if key in quantities},
        }
        self.__dict__.pop("lines", None)
