"""The smallest shop there is: plain objects, no tables, one adapter."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from django_xcover.adapters import ShopAdapter
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest

ANA = Policyholder(
    first_name="Ana",
    last_name="Rossi",
    email="ana@example.com",
    country="GB",
    phone="+447700900123",
)


def ticket(reference: str = "ticket", *, price: str = "60", count: int = 2) -> PolicyRequest:
    """Return tickets to an event in 2030, so that it is always to come."""
    return PolicyRequest(
        reference=reference,
        label="Harbour Lights Festival",
        policy_type="event_ticket_protection",
        fields={
            "event_datetime": datetime(2030, 6, 20, 19, 30, tzinfo=UTC),
            "event_name": "Harbour Lights Festival",
            "event_location": "Dover Marina",
            "event_country": "GB",
            "number_of_tickets": count,
            "tickets": [{"price": Decimal(price)}] * count,
            "resale_ticket": False,
        },
    )


def named(reference: str, label: str) -> PolicyRequest:
    """Return tickets that differ from those of `ticket` in what the shopper calls them."""
    return replace(ticket(reference), label=label)


def laptop(reference: str = "laptop", *, price: str = "1200") -> PolicyRequest:
    """Return a laptop; above £15,000 the sandbox has no policy for it."""
    return PolicyRequest(
        reference=reference,
        label="Aero 14",
        policy_type="product_insurance",
        fields={
            "category": "laptop",
            "name": "Aero 14",
            "description": "A light laptop",
            "price": Decimal(price),
            "quantity": 1,
        },
    )


@dataclass
class Cart:
    reference: str = "cart-1"
    items: tuple[PolicyRequest, ...] = field(default_factory=lambda: (ticket(),))
    currency: str = "GBP"
    country: str = "GB"
    language: str = "en"

    def but(self, **changes: Any) -> Cart:
        """Return this cart after the shopper has changed it."""
        return replace(self, **changes)


@dataclass
class Order:
    reference: str = "ORD-1"
    policyholder: Policyholder | None = ANA
    pays_later: bool = False
    owner: str = "ana"


class Shop:
    """What the adapter finds: the cart of the request in hand, and the orders by number."""

    def __init__(self) -> None:
        self.orders: dict[str, Order] = {}

    def order(self, reference: str = "ORD-1", **facts: Any) -> Order:
        """Return a new order that the shop knows."""
        self.orders[reference] = Order(reference=reference, **facts)
        return self.orders[reference]


SHOP = Shop()


# The products with a page. XCover has no policy for the yacht.
PRODUCTS = {item.reference: item for item in (laptop(), laptop("yacht", price="900000"))}


def whose(request: HttpRequest) -> str | None:
    """Return who is at the browser."""
    return getattr(request, "shopper", None)


class Adapter(ShopAdapter[Cart, Order, PolicyRequest]):
    def get_cart(self, request: HttpRequest) -> Cart | None:
        return getattr(request, "cart", None)

    def get_cart_reference(self, cart: Cart) -> str:
        return cart.reference

    def get_quote_request(self, cart: Cart) -> QuoteRequest | None:
        return QuoteRequest(
            currency=cart.currency,
            customer_country=cart.country,
            customer_language=cart.language,
            items=cart.items,
        )

    def get_product_quote_request(
        self, request: HttpRequest, product: PolicyRequest
    ) -> QuoteRequest | None:
        cart = self.get_cart(request) or Cart()
        return self.get_quote_request(cart.but(items=(product,)))

    def get_product_reference(self, product: PolicyRequest) -> str:
        return product.reference

    def get_product(self, reference: str) -> PolicyRequest | None:
        return PRODUCTS.get(reference)

    def get_order_reference(self, order: Order) -> str:
        return order.reference

    def get_order(self, reference: str) -> Order | None:
        return SHOP.orders.get(reference)

    def get_policyholder(self, order: Order) -> Policyholder:
        if order.policyholder is None:
            raise ValueError(f"{ANA.email} typed nonsense")
        return order.policyholder

    def can_view_order(self, request: HttpRequest, order: Order) -> bool:
        return whose(request) == order.owner

    def get_orders(self, request: HttpRequest) -> Iterable[str]:
        return [order.reference for order in SHOP.orders.values() if order.owner == whose(request)]

    def pays_later(self, order: Order) -> bool:
        return order.pays_later
