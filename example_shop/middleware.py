"""Adds the shopper's cart to each request."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from example_shop.cart import Cart


class ShopRequest(HttpRequest):
    """A request with a cart."""

    cart: Cart


class CartMiddleware:
    """Set a lazy `cart` on the request, so that page and adapter load its lines once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request.cart = Cart(request.session)  # type: ignore[attr-defined]
        return self.get_response(request)
