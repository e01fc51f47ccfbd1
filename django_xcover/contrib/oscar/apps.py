"""The app config, which registers a check and connects Oscar's signals."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import post_save
from django.utils.translation import gettext_lazy as _


class XCoverOscarConfig(AppConfig):
    name = "django_xcover.contrib.oscar"
    label = "xcover_oscar"
    verbose_name = _("XCover insurance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here, because models are not loaded before.
        from oscar.apps.order import signals as oscar  # noqa: PLC0415
        from oscar.core.loading import get_model  # noqa: PLC0415

        from django_xcover import signals  # noqa: PLC0415
        from django_xcover.contrib.oscar import receivers  # noqa: PLC0415
        from django_xcover.contrib.oscar.checks import check_setup  # noqa: PLC0415

        checks.register(check_setup)
        uid = "xcover_oscar"
        oscar.order_status_changed.connect(receivers.on_order_status, dispatch_uid=uid)
        oscar.order_line_status_changed.connect(receivers.on_line_status, dispatch_uid=uid)
        signals.policy_cancelled.connect(receivers.on_policy_cancelled, dispatch_uid=uid)
        for receiver, model in (
            (receivers.on_source_saved, get_model("payment", "Source")),
            (receivers.on_items_moved, get_model("order", "ShippingEventQuantity")),
            (receivers.on_basket_saved, get_model("basket", "Basket")),
        ):
            post_save.connect(receiver, sender=model, dispatch_uid=uid)
