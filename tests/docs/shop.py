"""The shop that the pages speak of: a cart, orders, and nothing else."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from types import ModuleType
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.dispatch import Signal
from django.http import HttpRequest, QueryDict

from django_xcover.cover import current_cover
from tests.docs.pages import README, blocks

ENVIRONMENT = {
    "XCOVER_API_KEY": "key",
    "XCOVER_API_SECRET": "secret",
    "XCOVER_WEBHOOK_SECRET": "the secret of the webhooks",
    "XCOVER_OLD_WEBHOOK_SECRET": "their secret of last year",
}


# What the checkout form asks for.
CUSTOMER = {
    "first_name": "Ana",
    "last_name": "Rossi",
    "email": "ana@example.com",
    "country": "GB",
}


@dataclass(frozen=True)
class Product:
    name: str = "Harbour Lights Festival"
    place: str = "Dover Marina"
    country: str = "GB"
    is_ticket: bool = True
    starts_at: datetime = datetime(2030, 6, 20, 19, 30, tzinfo=UTC)


@dataclass(frozen=True)
class Line:
    pk: int = 1
    product: Product = field(default_factory=Product)
    quantity: int = 2
    price: Decimal = Decimal(60)


class Lines:
    """What a related manager does: it has to be asked, and can't be iterated over itself."""

    def __init__(self, *lines: Line) -> None:
        self._lines = lines

    def all(self) -> tuple[Line, ...]:
        return self._lines

    def select_related(self, *names: str) -> tuple[Line, ...]:
        assert all(hasattr(line, name) for line in self._lines for name in names)
        return self._lines


@dataclass
class Cart:
    uuid: UUID = field(default_factory=uuid4)
    lines: Lines = field(default_factory=lambda: Lines(Line()))
    currency: str = "GBP"
    country: str = "GB"
    total: Decimal = Decimal(120)


class Found(list["Order"]):
    """What a query finds, as far as an adapter asks."""

    def first(self) -> Order | None:
        return self[0] if self else None

    def values_list(self, name: str, *, flat: bool) -> list[Any]:
        return [getattr(order, name) for order in self]


class Orders:
    """What stands in for `Order.objects`."""

    def create(self, **facts: Any) -> Order:
        order = Order(number=f"ORD-{len(Order.made) + 1}", **facts)
        Order.made.append(order)
        return order

    def filter(self, **facts: Any) -> Found:
        wanted = facts.items()
        return Found(o for o in Order.made if all(getattr(o, k) == v for k, v in wanted))

    def get(self, number: str) -> Order:
        return self.filter(number=number)[0]


@dataclass
class Order:
    number: str
    cart: Cart
    total: Decimal
    premium: Any = None
    # As in a model: empty unless whatever makes the order sets them.
    user: Any = None
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    country: str = ""
    is_paid: bool = False
    notes: list[str] = field(default_factory=list)

    made: ClassVar[list[Order]] = []
    objects: ClassVar[Orders] = Orders()

    @property
    def user_id(self) -> int | None:
        return self.user.pk if self.user else None

    def get_absolute_url(self) -> str:
        return f"/orders/{self.number}/"

    def mark_as_paid(self) -> None:
        self.is_paid = True

    def add_note(self, text: str) -> None:
        self.notes.append(text)


def namespace() -> dict[str, Any]:
    """Return what a shop's modules have besides what a page writes into them."""
    return {
        "__name__": "myshop.cover",
        "Cart": Cart,
        "Order": Order,
        "order_placed": Signal(),
        "order_paid": Signal(),
    }


@contextmanager
def readme_shop() -> Iterator[dict[str, Any]]:
    """Run the README's Python as the module `myshop.cover`; yield its names."""
    names = namespace()
    with installed() as module:
        for block in blocks(README):
            if block.language == "python":
                exec(block.code(), names)  # noqa: S102 - the page is what is tested
        vars(module).update(names)
        yield names


@contextmanager
def installed() -> Iterator[ModuleType]:
    """Let the shop be a package with its orders; yield the module `myshop.cover`, still empty."""
    names = ("myshop", "myshop.models", "myshop.signals", "myshop.cover")
    made = {name: ModuleType(name) for name in names}
    made["myshop.signals"].order_paid = Signal()  # type: ignore[attr-defined]
    made["myshop.models"].Order = Order  # type: ignore[attr-defined]
    sys.modules |= made
    Order.made.clear()
    try:
        yield made["myshop.cover"]
    finally:
        for name in made:
            del sys.modules[name]
        Order.made.clear()


def shown_to(request: HttpRequest) -> HttpRequest:
    """Return the request of the checkout form as the page sends it now, with the total shown."""
    cart = request.cart  # type: ignore[attr-defined]
    premium = current_cover(request).premium
    total = cart.total + (premium.amount if premium else 0)
    request.POST = QueryDict(f"xcover_total={total} {cart.currency}")
    return request
