"""The cover of an order."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from rest_framework.request import Request
from rest_framework.response import Response

from django_xcover.adapters import get_adapter
from django_xcover.api.base import ShopView
from django_xcover.api.serializers.offers import OrderCoverShape
from django_xcover.cover import order_cover


class OrderCoverView(ShopView):
    """The cover of one of the shopper's orders."""

    def get(self, request: Request, reference: str) -> Response:
        """Return state and policies; 404 if the adapter doesn't let this shopper see the order."""
        return self.respond(OrderCoverShape, order_cover(self._order(reference)))

    def _order(self, reference: str) -> Any:
        adapter = get_adapter()
        # Some databases raise an error for a NUL in a text.
        order = None if "\x00" in reference else adapter.get_order(reference)
        if order is None or not adapter.can_view_order(self.http, order):
            raise Http404
        return order
