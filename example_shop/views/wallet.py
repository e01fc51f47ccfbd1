"""The fake wallet: its payment page, and the return to the shop."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from example_shop import orders, wallet
from example_shop.forms import forget_details
from example_shop.middleware import ShopRequest
from example_shop.models import WalletPayment


@never_cache
@require_safe
def show(request: ShopRequest, reference: str) -> HttpResponse:
    """Show the amount to be charged. Anyone with the link may pay: it can't be guessed."""
    payment = get_object_or_404(WalletPayment, reference=reference)
    if payment.paid_at is not None:
        return _finish(request, payment)
    if payment.ended_at is not None:
        return redirect("shop:checkout")
    return render(request, "shop/wallet.html", {"payment": payment})


@require_POST
def approve(request: ShopRequest, reference: str) -> HttpResponse:
    """Charge the wallet, then create the order. Both can safely be repeated."""
    payment = get_object_or_404(WalletPayment, reference=reference)
    wallet.charge(payment)
    return _finish(request, payment)


@require_POST
def decline(request: ShopRequest, reference: str) -> HttpResponse:
    """Return to the shop without paying."""
    payment = get_object_or_404(WalletPayment, reference=reference)
    if not wallet.give_up(payment):
        return _finish(request, payment)
    messages.info(request, _("You haven't paid, and nothing was ordered."))
    return redirect("shop:checkout")


def _finish(request: ShopRequest, payment: WalletPayment) -> HttpResponse:
    order = wallet.complete(payment)
    if order is None:
        messages.info(request, _("This payment was cancelled. Please order again."))
        return redirect("shop:checkout")
    orders.remember(request, order)
    if request.cart.reference == order.cart_reference:
        request.cart.clear()
        forget_details(request.session)
    messages.success(request, _("Thank you. Your payment has arrived."))
    return redirect(order)
