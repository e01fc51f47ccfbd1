"""Settling an order in one call, as tests do that aren't about failing adapters."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from django_xcover.offers import shop_values
from django_xcover.orders import completion


def complete(order: Any, cart: Any = None, *, paid: bool, hold: str = "") -> None:
    """Let `order` take over the cover of `cart` or of its hold, and enqueue the operations.

    The package's own entry point, `orders.events`, keeps an order whose adapter fails for a later
    attempt. This raises instead, so that a test sees why.
    """
    reference = shop_values.order_reference(order)
    with transaction.atomic():
        package = completion.find(reference, lambda: shop_values.name_cart(cart), hold=hold)
        if package is not None:
            completion.settle(package, order, paid=paid)
