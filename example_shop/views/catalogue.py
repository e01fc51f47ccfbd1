"""The product pages."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from example_shop.cart import MOST_OF_ONE
from example_shop.details import form_for
from example_shop.middleware import ShopRequest
from example_shop.models import Category, Product


@require_safe
def home(request: ShopRequest) -> HttpResponse:
    """Show all products on sale, or one category."""
    products = Product.objects.on_sale()
    chosen = request.GET.get("category", "")
    if chosen in Category.values:
        products = products.filter(category=chosen)
    return render(request, "shop/home.html", {"products": products, "chosen": chosen})


@require_safe
def product(request: ShopRequest, slug: str) -> HttpResponse:
    """Show one product."""
    item = get_object_or_404(Product.objects.on_sale(), slug=slug)
    context = {
        "product": item,
        "form": form_for(item, request.cart.market, initial=request.cart.typed(item)),
        "quantities": range(1, MOST_OF_ONE + 1),
    }
    return render(request, "shop/product.html", context)
