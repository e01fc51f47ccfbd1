"""What became of an order's cover."""

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
    """The cover of one order of the shopper's own."""

    def get(self, request: Request, reference: str) -> Response:
        """Return state and policies; 404 unless the shop's adapter lets this shopper see it."""
        return self.shown(OrderCoverShape, order_cover(self._order(reference)))

    def _order(self, reference: str) -> Any:
        adapter = get_adapter()
        # Some databases stumble over a NUL in a text.
        order = None if "\x00" in reference else adapter.get_order(reference)
        if order is None or not adapter.can_view_order(self.http, order):
            raise Http404
        return order
