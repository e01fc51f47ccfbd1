"""Placing and paying orders, the two events that django-xcover needs.

Both tell it inside their own transaction, so that order and cover are true together or not at all.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover import payments
from django_xcover.cover import freeze_cover, require_shown
from django_xcover.signals import order_completed, payment_completed
from example_shop.cart import Cart, CartLine
from example_shop.middleware import ShopRequest
from example_shop.models import Order, OrderLine

SESSION_KEY = "orders"
LAPSED = _(
    "Your order changed after you chose insurance, so it isn't insured, and you aren't charged "
    "for insurance."
)


def place(request: ShopRequest, details: dict[str, Any]) -> Order:
    """Create the order of this request's cart, or return the existing one.

    The order row comes first: of two simultaneous clicks the second waits for its unique cart
    reference, and then finds the order of the first. Raises TotalChanged, and orders nothing, when
    the order would charge another total than the page showed.
    """
    cart = request.cart
    with transaction.atomic():
        order, is_new = Order.objects.get_or_create(
            cart_reference=cart.reference, defaults={**details, **_totals(request, cart)}
        )
        if is_new:
            OrderLine.objects.bulk_create(_line(order, line) for line in cart.lines)
            _add_cover(request, order)
            require_shown(request.POST, order.total)
            order_completed.send(sender=Order, order=order, cart=cart)
    remember(request, order)
    cart.clear()
    return order


def placed_before(request: ShopRequest, cart_reference: str) -> Order | None:
    """Return the order that this cart already has, for a form sent twice."""
    order = Order.objects.filter(cart_reference=cart_reference).first()
    return order if order and may_view(request, order) else None


def pay(order: Order) -> bool:
    """Record the payment; return False if it was recorded before."""
    with transaction.atomic():
        unpaid = Order.objects.filter(pk=order.pk, paid_at=None)
        if not unpaid.update(paid_at=timezone.now()):
            return False
        order.refresh_from_db()
        payment_completed.send(sender=Order, order=order)
    return True


def pay_with_token(order: Order, customer_token_id: str) -> bool:
    """Record the payment of an order whose premium XCover charges to the card of the token.

    Returns False if it was recorded before. Raises ActionRefused, and records nothing, for a token
    that can't be used. In this demonstration the same card has paid for the goods: a real shop's
    payment service gets its own token of it, from the same form.
    """
    with transaction.atomic():
        payments.use_token(order, customer_token_id, email=order.email)
        return pay(order)


def remember(request: HttpRequest, order: Order) -> None:
    """Give this session access to a guest's order."""
    numbers = request.session.get(SESSION_KEY, [])
    if order.number not in numbers:
        request.session[SESSION_KEY] = [*numbers, order.number]


def of_shopper(request: HttpRequest) -> QuerySet[Order]:
    """Return the logged-in shopper's orders; none for a guest."""
    user = request.user
    return Order.objects.filter(user=user) if user.is_authenticated else Order.objects.none()


def may_view(request: HttpRequest, order: Order) -> bool:
    """Return whether the order belongs to the shopper or this session, or the user is staff."""
    user = request.user
    if user.is_authenticated and (user.is_staff or order.user_id == user.pk):
        return True
    return order.number in request.session.get(SESSION_KEY, [])


def references_of(request: HttpRequest) -> list[str]:
    """Return the order numbers of the shopper, and of guest orders in this session."""
    own = of_shopper(request).values_list("number", flat=True)
    return [*own, *request.session.get(SESSION_KEY, [])]


def _totals(request: ShopRequest, cart: Cart) -> dict[str, Any]:
    return {
        "user": request.user if request.user.is_authenticated else None,
        "country": cart.market.country,
        "currency": cart.total.currency,
        "goods_total": cart.total.amount,
    }


def _add_cover(request: ShopRequest, order: Order) -> None:
    cover = freeze_cover(request, request.cart)
    if cover.lapsed:
        messages.warning(request, LAPSED)
    if cover.premium is not None:
        order.premium = cover.premium.amount
        order.dual_payment = settings.SHOP_DUAL_PAYMENT
        order.save(update_fields=["premium", "dual_payment"])


def _line(order: Order, line: CartLine) -> OrderLine:
    product = line.product
    return OrderLine(
        order=order,
        product=product,
        name=product.name,
        starts_at=product.starts_at,
        location=line.summary,
        quantity=line.quantity,
        unit_price=line.unit_price.amount,
    )
