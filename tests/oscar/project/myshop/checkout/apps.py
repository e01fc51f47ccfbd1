from __future__ import annotations

from typing import Any

from django.urls import path
from oscar.apps.checkout import apps
from oscar.core.loading import get_class


class CheckoutConfig(apps.CheckoutConfig):
    name = "myshop.checkout"

    def get_urls(self) -> Any:
        returned = get_class("checkout.views", "ReturnedView").as_view()
        return [*super().get_urls(), path("returned/<str:reference>/", returned, name="returned")]
