"""What is added to Oscar's order placement: each order gets its cover in its own transaction."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from django_xcover.contrib.oscar.cart import OscarCart
from django_xcover.contrib.oscar.lines import was_offered_cover
from django_xcover.contrib.oscar.models import LineReference
from django_xcover.signals import order_completed


class CoverOrders:
    """Added to Oscar's `OrderCreator`.

    Oscar's signal `order_placed` is sent without the basket and after the transaction: a crash in
    between would lose the cover. So the order is reported here.
    """

    def create_order_model(self, user: Any, basket: Any, *args: Any, **kwargs: Any) -> Any:
        """Create the order, and let it take over the cover that is held for the basket."""
        order = super().create_order_model(user, basket, *args, **kwargs)  # type: ignore[misc]
        cart = OscarCart(basket, order.shipping_address, order.billing_address)
        if was_offered_cover(cart):
            order_completed.send(sender=type(order), order=order, cart=cart)
        return order

    def create_line_models(self, order: Any, basket_line: Any, *args: Any, **kwargs: Any) -> Any:
        """Create the line, and note which basket line it was."""
        line = super().create_line_models(order, basket_line, *args, **kwargs)  # type: ignore[misc]
        if line is not None:
            LineReference._default_manager.create(line=line, reference=basket_line.line_reference)
        return line


class CoverEvents:
    """Added to Oscar's `EventHandler`: an order and its cover change together."""

    def handle_order_status_change(self, *args: Any, **kwargs: Any) -> Any:
        """Change the status in a transaction."""
        with transaction.atomic():
            return super().handle_order_status_change(*args, **kwargs)  # type: ignore[misc]

    def handle_shipping_event(self, *args: Any, **kwargs: Any) -> Any:
        """Record the event in a transaction."""
        with transaction.atomic():
            return super().handle_shipping_event(*args, **kwargs)  # type: ignore[misc]
