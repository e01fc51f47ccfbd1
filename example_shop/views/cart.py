"""The shopper's cart."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from example_shop.cart import MOST_OF_ONE
from example_shop.details import DetailsForm, form_for, needs_details
from example_shop.forms import QuantityForm
from example_shop.middleware import ShopRequest
from example_shop.models import Product


@require_safe
def show(request: ShopRequest) -> HttpResponse:
    """Show the cart."""
    context = {"cart": request.cart, "quantities": range(1, MOST_OF_ONE + 1)}
    return render(request, "shop/cart.html", context)


@require_POST
def add(request: ShopRequest, slug: str) -> HttpResponse:
    """Add a product to the cart."""
    product = get_object_or_404(Product.objects.on_sale(), slug=slug)
    details = form_for(product, request.cart.market, request.POST)
    if details is not None:
        return _book(request, product, details)
    form = QuantityForm(request.POST)
    if not form.is_valid():
        return _refuse(request)
    request.cart.add(product, form.cleaned_data["quantity"])
    return _added(request, product)


@require_POST
def update(request: ShopRequest, slug: str) -> HttpResponse:
    """Change the quantity of a product; the remove button sends `quantity` 0."""
    product = get_object_or_404(Product, slug=slug)
    form = QuantityForm(request.POST)
    # What has details costs by them: it can only be removed here.
    removes = form.is_valid() and not form.cleaned_data["quantity"]
    if not form.is_valid() or (needs_details(product) and not removes):
        return _refuse(request)
    request.cart.set(product, form.cleaned_data["quantity"])
    return redirect("shop:cart")


def _book(request: ShopRequest, product: Product, form: DetailsForm) -> HttpResponse:
    if not form.is_valid():
        context = {"product": product, "form": form}
        return render(request, "shop/product.html", context, status=422)
    request.cart.book(product, form)
    return _added(request, product)


def _added(request: ShopRequest, product: Product) -> HttpResponse:
    messages.success(request, _("%(name)s is in your cart.") % {"name": product.name})
    return redirect("shop:cart")


def _refuse(request: ShopRequest) -> HttpResponse:
    limit = {"most": MOST_OF_ONE}
    messages.error(request, _("Please choose a quantity from 1 to %(most)s.") % limit)
    return redirect("shop:cart")
