"""The app config, which registers checks and connects signals."""

from __future__ import annotations

from django.apps import AppConfig
from django.core import checks
from django.utils.translation import gettext_lazy as _


class XCoverAppConfig(AppConfig):
    name = "django_xcover"
    label = "xcover"
    verbose_name = _("XCover insurance")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Imported here, because models are not loaded before.
        from django_xcover import receivers, signals, tasks  # noqa: PLC0415
        from django_xcover.checks import (  # noqa: PLC0415
            check_deployment,
            check_health,
            check_settings,
        )

        checks.register(check_settings, checks.Tags.security)
        checks.register(check_health, checks.Tags.database)
        checks.register(check_deployment, checks.Tags.async_support, deploy=True)
        signals.order_completed.connect(receivers.on_order_completed, dispatch_uid="xcover")
        signals.payment_completed.connect(receivers.on_payment_completed, dispatch_uid="xcover")
        signals.order_cancelled.connect(receivers.on_order_cancelled, dispatch_uid="xcover")
        signals.operation_ready.connect(tasks.dispatch_operation, dispatch_uid="xcover")
        signals.delivery_ready.connect(tasks.dispatch_delivery, dispatch_uid="xcover")
        signals.withdrawal_received.connect(tasks.acknowledge_withdrawal, dispatch_uid="xcover")
        signals.policy_cancelled.connect(tasks.announce_refund, dispatch_uid="xcover")
        signals.policy_booked.connect(tasks.read_schedule, dispatch_uid="xcover")
        signals.policy_renewed.connect(tasks.read_schedule, dispatch_uid="xcover")
