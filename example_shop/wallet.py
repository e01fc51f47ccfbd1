"""Payment before the order: a fake wallet charges the shopper first.

The cover is held while the shopper is away. When the wallet reports the charge, the order is made
from what was written down then; the cart and the session may be others by that time.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.utils import timezone

from django_xcover.cover import hold_cover, release_cover, require_shown
from django_xcover.exceptions import TotalChanged
from django_xcover.signals import order_completed, payment_completed
from example_shop import card
from example_shop.cart import CartLine
from example_shop.middleware import ShopRequest
from example_shop.models import Order, OrderLine, WalletPayment
from example_shop.orders import LAPSED


def start(request: ShopRequest, details: dict[str, Any]) -> WalletPayment:
    """Hold the cover and store what is paid for; the total can't change after this.

    Raises TotalChanged, and holds nothing, when the total is not the one that the page showed.
    """
    cart = request.cart
    lines = [_line(line) for line in cart.lines]
    cover = hold_cover(request, cart)  # commits: the charge must not outlive it
    if cover.lapsed:
        messages.warning(request, LAPSED)
    payment = WalletPayment(
        hold=cover.hold,
        cart_reference=cart.reference,
        user=request.user if request.user.is_authenticated else None,
        details={**details, "country": cart.market.country},
        lines=lines,
        currency=cart.total.currency,
        goods_total=cart.total.amount,
        premium=cover.premium.amount if cover.premium else None,
    )
    try:
        require_shown(request.POST, payment.total)
    except TotalChanged:
        release_cover(cover.hold)
        raise
    payment.save()
    return payment


def charge(payment: WalletPayment) -> None:
    """Take the money, once. A real wallet does this, and then calls the shop."""
    open_payments = WalletPayment.objects.filter(pk=payment.pk, paid_at=None, ended_at=None)
    open_payments.update(paid_at=timezone.now())


def complete(payment: WalletPayment) -> Order | None:
    """Create the order of a charged payment, once; return None if nothing was charged.

    If the cart was ordered in another way meanwhile, the money goes back and that order is
    returned.
    """
    with transaction.atomic():
        paid = WalletPayment.objects.select_for_update().get(pk=payment.pk)
        if paid.order is not None or paid.paid_at is None:
            return paid.order
        order, is_new = Order.objects.get_or_create(
            cart_reference=paid.cart_reference,
            defaults={
                **paid.details,
                "user": paid.user,
                "currency": paid.currency,
                "goods_total": paid.goods_total,
                "premium": paid.premium,
                "paid_at": paid.paid_at,
            },
        )
        if is_new:
            OrderLine.objects.bulk_create(OrderLine(order=order, **line) for line in paid.lines)
            paid.order = order
            paid.save(update_fields=["order"])
            # Without the cart, which may have changed since: the hold determines what is insured.
            order_completed.send(sender=Order, order=order, hold=paid.hold)
            payment_completed.send(sender=Order, order=order)
    if not is_new:
        _return(payment)
    return order


def give_up(payment: WalletPayment) -> bool:
    """Cancel an uncharged payment, so that the shopper can choose again; False if charged."""
    unpaid = WalletPayment.objects.filter(pk=payment.pk, paid_at=None)
    if not unpaid.update(ended_at=timezone.now()):
        return False
    release_cover(payment.hold)
    return True


def _return(payment: WalletPayment) -> None:
    """Refund the money, once, and release the cover, because another order has the cart."""
    charged = WalletPayment.objects.filter(pk=payment.pk, order=None).exclude(paid_at=None)
    if charged.update(ended_at=timezone.now(), paid_at=None):
        card.give_back(order_number=payment.reference)
        release_cover(payment.hold)


def was_charged(hold: str) -> bool:
    """Return whether the wallet was charged for the hold with this reference."""
    return WalletPayment.objects.filter(hold=hold).exclude(paid_at=None).exists()


def _line(line: CartLine) -> dict[str, Any]:
    product = line.product
    return {
        "product_id": product.pk,
        "name": product.name,
        "starts_at": product.starts_at,
        "location": line.summary,
        "quantity": line.quantity,
        "unit_price": line.unit_price.amount,
    }
