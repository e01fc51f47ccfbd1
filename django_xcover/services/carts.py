"""The shopper's cart, read through the shop's adapter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from django_xcover.adapters import get_adapter
from django_xcover.services import payloads
from django_xcover.types import QuoteRequest


@dataclass(frozen=True, kw_only=True)
class CartToInsure:
    """Whose cart it is and what in it can be insured."""

    account: str
    cart_reference: str
    shopper_reference: str
    request: QuoteRequest

    @cached_property
    def fingerprint(self) -> str:
        """Return the hash of everything that is quoted."""
        return payloads.fingerprint(self.account, self.request)


def read_cart(request: HttpRequest, cart: Any = None) -> CartToInsure | None:
    """Return what to insure in `cart`, by default the request's own; None for nothing."""
    adapter = get_adapter()
    cart = adapter.get_cart(request) if cart is None else cart
    if cart is None:
        return None
    quote_request = adapter.get_quote_request(cart)
    if quote_request is None or not quote_request.items:
        return None
    return CartToInsure(
        account=adapter.get_account(cart),
        cart_reference=adapter.get_cart_reference(cart),
        shopper_reference=adapter.get_shopper_reference(request),
        request=quote_request,
    )
