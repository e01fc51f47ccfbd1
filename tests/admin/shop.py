"""A shop of one order, seen through its adapter."""

from __future__ import annotations

from typing import Any

from django_xcover.adapters import ShopAdapter
from django_xcover.types import Policyholder

ORDER = "SH-1001"


class BoxOfficeAdapter(ShopAdapter):
    """Knows the order SH-1001 and where its staff look at it."""

    def get_order(self, reference: str) -> Any | None:
        return {"reference": reference} if reference == ORDER else None

    def get_order_url(self, order: Any) -> str:
        return f"/shop/orders/{order['reference']}/"

    def get_policyholder(self, order: Any) -> Policyholder:
        return Policyholder(
            first_name="Ana", last_name="Rossi", email="ana@example.com", country="GB"
        )
