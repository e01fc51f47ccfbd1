"""The policy types the sandbox can quote."""

from __future__ import annotations

from django_xcover.sandbox.products.base import Product
from django_xcover.sandbox.products.event_ticket import EVENT_TICKET
from django_xcover.sandbox.products.parcel import PARCEL
from django_xcover.sandbox.products.product import PRODUCT
from django_xcover.sandbox.products.renters import RENTERS
from django_xcover.sandbox.products.travel import TRAVEL

PRODUCTS: dict[str, Product] = {
    product.policy_type: product for product in (EVENT_TICKET, PRODUCT, TRAVEL, PARCEL, RENTERS)
}

__all__ = ["PRODUCTS", "Product"]
