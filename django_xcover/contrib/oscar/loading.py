"""The value of Oscar's setting `OSCAR_DYNAMIC_CLASS_LOADER`.

Oscar asks this function for its classes. It returns those that Oscar would use, the shop's own
subclasses among them, and adds what cover needs to those in `ADDED`. So a shop forks none of
Oscar's apps for cover, and its own forks keep working.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from django.utils.module_loading import import_string
from oscar.core.loading import default_class_loader

ADDED = {
    ("checkout.applicator", "SurchargeApplicator"): "checkout.CoverSurcharges",
    ("checkout.mixins", "OrderPlacementMixin"): "checkout.CoverPlacement",
    ("checkout.views", "PaymentDetailsView"): "checkout.CoverPayment",
    ("customer.views", "AnonymousOrderDetailView"): "guests.GuestOrder",
    ("order.processing", "EventHandler"): "orders.CoverEvents",
    ("order.utils", "OrderCreator"): "orders.CoverOrders",
}


def load_classes(
    module_label: str, classnames: Sequence[str], module_prefix: str = "oscar.apps"
) -> list[type]:
    """Return Oscar's classes, as `oscar.core.loading.default_class_loader` does, with cover."""
    found = default_class_loader(module_label, classnames, module_prefix)
    return [
        _with_cover(cls, ADDED[module_label, name]) if (module_label, name) in ADDED else cls
        for name, cls in zip(classnames, found, strict=True)
    ]


@cache
def _with_cover(cls: Any, path: str) -> type:
    """Return `cls` with our class in front of it, the same one each time."""
    added = import_string(f"django_xcover.contrib.oscar.{path}")
    if issubclass(cls, added):  # a fork of a class that already had it
        return cls  # type: ignore[no-any-return]
    return type(cls.__name__, (added, cls), {"__module__": cls.__module__})
