"""Read by mypy --strict in test_typing.py, never imported. `# ERROR` marks what mypy refuses."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest

from django_xcover.adapters import ShopAdapter
from django_xcover.cover import current_cover, freeze_cover, hold_cover, order_cover
from django_xcover.signals import forward, order_completed, payment_completed
from django_xcover.types import Policyholder, PolicyRequest, QuoteRequest


@dataclass
class Cart:
    number: str


@dataclass
class Order:
    number: str
    email: str


class Typed(ShopAdapter[Cart, Order]):
    """What a shop with type hints writes."""

    def get_cart(self, request: HttpRequest) -> Cart | None:
        return Cart("C1")

    def get_cart_reference(self, cart: Cart) -> str:
        return cart.number

    def get_quote_request(self, cart: Cart) -> QuoteRequest | None:
        fields = {"event_name": cart.number, "number_of_tickets": 2}
        item = PolicyRequest(reference=cart.number, policy_type="ticket", fields=fields)
        return QuoteRequest(
            currency="GBP", customer_country="GB", customer_language="en", items=(item,)
        )

    def get_order(self, reference: str) -> Order | None:
        return Order(reference, "ana@example.com")

    def get_policyholder(self, order: Order) -> Policyholder:
        return Policyholder(first_name="A", last_name="R", email=order.email, country="GB")


class Plain(ShopAdapter):
    """A shop that names no types: its own hints stand, and mypy asks for no parameters."""

    def get_cart(self, request: HttpRequest) -> Cart | None:
        return None

    def get_cart_reference(self, cart: Cart) -> str:
        return cart.number

    def get_order_reference(self, order: Order) -> str:
        return order.number


class CartOnly(ShopAdapter[Cart]):
    """The order is left open."""

    def get_cart_reference(self, cart: Cart) -> str:
        return cart.number

    def get_order_reference(self, order: Order) -> str:
        return order.number


@dataclass
class Product:
    slug: str


class WithProducts(ShopAdapter[Cart, Order, Product]):
    """A shop with prices on its product pages."""

    def get_product(self, reference: str) -> Product | None:
        return Product(reference)

    def get_product_reference(self, product: Product) -> str:
        return product.slug

    def get_product_account(self, request: HttpRequest, product: Cart) -> str:  # ERROR override
        return ""


class Wrong(ShopAdapter[Cart, Order]):
    """Each method has the one mistake that its name and place suggest."""

    def get_cart(self, request: HttpRequest) -> Order | None:  # ERROR override
        return None

    def get_cart_reference(self, cart: Order) -> str:  # ERROR override
        return cart.number

    def get_quote_request(self, cart: Cart) -> QuoteRequest | None:
        return cart  # ERROR return-value

    def get_order(self, reference: str) -> Cart | None:  # ERROR override
        return None

    def get_policyholder(self, order: Cart) -> Policyholder:  # ERROR override
        raise NotImplementedError

    def get_orders(self, request: HttpRequest) -> list[Order]:  # ERROR override
        return []

    def get_payment_url(self, request: HttpRequest, due: Order) -> str:  # ERROR override
        return ""


def place_order(request: HttpRequest, cart: Cart, order: Order) -> None:
    current_cover(request, cart)
    hold_cover(request, cart)
    premium = freeze_cover(request, cart).premium
    _ = premium.amount  # ERROR union-attr
    order_completed.send(sender=Order, order=order, cart=cart)
    order_cover(order).state.upper()
    freeze_cover(cart, request)  # ERROR arg-type


def use(adapter: Typed, order: Order, cart: Cart) -> None:
    adapter.get_order_reference(order)
    adapter.get_order_reference(cart)  # ERROR arg-type
    adapter.get_account(order)  # ERROR arg-type


forward(order_completed, to=payment_completed, order="instance")
