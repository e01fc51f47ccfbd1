"""What the shop sells and what was ordered."""

from __future__ import annotations

from example_shop.models.order import Order, OrderLine
from example_shop.models.product import Category, Kind, Product
from example_shop.models.wallet import WalletPayment

__all__ = ["Category", "Kind", "Order", "OrderLine", "Product", "WalletPayment"]
