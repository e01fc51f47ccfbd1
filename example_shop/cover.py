"""The shop's adapter for django-xcover, which is all a shop has to write."""

from __future__ import annotations

from collections.abc import Iterable

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from django_xcover.adapters import ShopAdapter
from django_xcover.models import Renewal
from django_xcover.types import Due, Policyholder, PolicyRequest, QuoteRequest
from example_shop import wallet
from example_shop.cart import Cart, CartLine
from example_shop.models import Order
from example_shop.notices import renewal_notice
from example_shop.orders import may_view, references_of


class ConcertShopAdapter(ShopAdapter[Cart, Order]):
    """Tickets get ticket protection, devices get product insurance."""

    def get_cart(self, request: HttpRequest) -> Cart | None:
        cart: Cart | None = getattr(request, "cart", None)
        return cart if cart and cart.count else None

    def get_cart_reference(self, cart: Cart) -> str:
        return cart.reference

    def get_quote_request(self, cart: Cart) -> QuoteRequest | None:
        if cart.is_empty:
            return None
        return QuoteRequest(
            currency=cart.market.currency,
            customer_country=cart.market.country,
            customer_language=get_language() or "en",
            items=tuple(to_insure(line) for line in cart.lines),
        )

    def get_order_reference(self, order: Order) -> str:
        return order.number

    def get_order(self, reference: str) -> Order | None:
        return Order.objects.filter(number=reference).first()

    def get_policyholder(self, order: Order) -> Policyholder:
        return Policyholder(
            first_name=order.first_name,
            last_name=order.last_name,
            email=order.email,
            phone=order.phone,
            address1=order.address,
            city=order.city,
            postcode=order.postcode,
            country=order.country,
        )

    def can_view_order(self, request: HttpRequest, order: Order) -> bool:
        return may_view(request, order)

    def get_orders(self, request: HttpRequest) -> Iterable[str]:
        return references_of(request)

    def get_payment_url(self, request: HttpRequest, due: Due) -> str:
        return reverse("shop:pay_cover", args=[due.kind, due.reference])

    def pays_later(self, order: Order) -> bool:
        return order.payment == Order.Payment.INVOICE

    def is_paid(self, order: Order) -> bool:
        return order.is_paid

    def was_charged(self, hold: str) -> bool:
        return wallet.was_charged(hold)

    def send_renewal_notice(self, order: Order | None, renewal: Renewal) -> None:
        if order is not None:
            renewal_notice(order, renewal)

    def get_order_url(self, order: Order) -> str:
        return reverse("admin:example_shop_order_change", args=[order.pk])


def to_insure(line: CartLine) -> PolicyRequest:
    """Return the policy request for one line of the cart."""
    policy_type, fields = ticket_fields(line) if line.product.is_event else device_fields(line)
    return PolicyRequest(
        reference=line.reference, label=line.product.name, policy_type=policy_type, fields=fields
    )


def ticket_fields(line: CartLine) -> tuple[str, dict[str, object]]:
    event = line.product
    return "event_ticket_protection", {
        "event_datetime": event.starts_at,
        "event_name": event.name,
        "event_location": event.location,
        "event_country": event.country,
        "number_of_tickets": line.quantity,
        "tickets": [{"price": line.unit_price.amount}] * line.quantity,
        "resale_ticket": False,
    }


def device_fields(line: CartLine) -> tuple[str, dict[str, object]]:
    device = line.product
    return "product_insurance", {
        "category": device.category,
        "name": device.name,
        "description": device.tagline,
        "price": line.unit_price.amount,
        "quantity": line.quantity,
    }
