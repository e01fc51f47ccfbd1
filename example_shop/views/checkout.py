"""The checkout: from the cart to an order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from django_xcover.cover import Cover, current_cover
from django_xcover.exceptions import TotalChanged
from django_xcover.types import Money
from example_shop import orders, wallet
from example_shop.cart import Cart
from example_shop.forms import CheckoutForm, forget_details, initial_details
from example_shop.middleware import ShopRequest
from example_shop.models import Order


@dataclass(frozen=True, slots=True)
class Summary:
    """The amounts the shopper pays if they order now."""

    cart: Cart
    cover: Cover

    @property
    def total(self) -> Money:
        goods = self.cart.total
        return goods + self.cover.premium if self.cover.premium else goods


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def checkout(request: ShopRequest) -> HttpResponse:
    """Show the form and the insurance offer, and place the order."""
    if request.method == "POST":
        return _place(request)
    if request.cart.is_empty:
        return _nothing_to_order(request)
    form = CheckoutForm(
        market=request.cart.market, initial=initial_details(request.user, request.session)
    )
    return _page(request, form)


@never_cache
@require_safe
def summary(request: ShopRequest) -> HttpResponse:
    """Show the totals again after the shopper has answered the offer."""
    return render(request, "shop/_summary.html", {"summary": _summary(request)})


def _place(request: ShopRequest) -> HttpResponse:
    order = orders.placed_before(request, request.POST.get("cart", ""))
    if order:
        return redirect(order)
    if request.cart.is_empty:
        return _nothing_to_order(request)
    form = CheckoutForm(request.POST, market=request.cart.market)
    if request.POST.get("seen") != request.cart.fingerprint:
        return _changed(request, form)
    return _take(request, form)


def _take(request: ShopRequest, form: CheckoutForm) -> HttpResponse:
    """Order what the valid form and the page say; else show the page again."""
    if not form.is_valid():
        return _page(request, form, status=422)
    if "ask" in request.POST and not current_cover(request, request.cart).is_answered:
        # Without JavaScript; else the script asks. The order goes through with the next click.
        return _ask(request, form)
    try:
        return _order(request, form.cleaned_data)
    except TotalChanged:
        return _changed(request, form)


def _order(request: ShopRequest, details: dict[str, Any]) -> HttpResponse:
    """Place the order, or redirect to the wallet, which charges first."""
    if details["payment"] == Order.Payment.WALLET:
        return redirect(wallet.start(request, details))
    order = orders.place(request, details)
    forget_details(request.session)
    return redirect("shop:pay", order.number) if order.by_card else redirect(order)


def _page(
    request: ShopRequest, form: CheckoutForm, *, status: int = 200, asked: bool = False
) -> HttpResponse:
    context = {
        "asked": asked,
        "form": form,
        "cart": request.cart,
        "summary": _summary(request),
        "details_form": "checkout",
    }
    return render(request, "shop/checkout.html", context, status=status)


def _summary(request: ShopRequest) -> Summary:
    return Summary(request.cart, current_cover(request, request.cart))


def _nothing_to_order(request: ShopRequest) -> HttpResponse:
    messages.info(request, _("Your cart is empty, so there's nothing to order."))
    return redirect("shop:cart")


def _ask(request: ShopRequest, form: CheckoutForm) -> HttpResponse:
    """Show the page again and point at the offer, which has no answer yet."""
    messages.info(request, _("Would you like cover for your order? Please choose yes or no."))
    return _page(request, form, asked=True)


def _changed(request: ShopRequest, form: CheckoutForm) -> HttpResponse:
    """Show the page again, because the shown total has changed."""
    messages.warning(
        request,
        _("Your cart or a price has changed. Please check the new total before you order."),
    )
    return _page(request, form, status=409)
