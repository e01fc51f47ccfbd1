"""What is noted for no other purpose than to tell whether everything is well."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager


class Heartbeat(models.Model):
    """When something that has to come round regularly did so last.

    A row and not a cache entry: a worker that is dead must be noticed with any cache.
    """

    name = models.CharField(_("name"), max_length=50, unique=True)
    at = models.DateTimeField(_("last time"), default=timezone.now)

    objects = WriterManager["Heartbeat"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return self.name


class WebhookRefusal(models.Model):
    """How many requests the receiver has refused on a day (UTC), for an account and a reason.

    `account` is "" when the address names none that takes webhooks: it is not repeated, because
    anybody can make one up.
    """

    class Reason(models.TextChoices):
        NO_RECEIVER = "no_receiver", _("no account of this name takes webhooks")
        METHOD = "method", _("no POST")
        UNSIGNED = "unsigned", _("not signed")
        SIGNATURE = "signature", _("signed with none of WEBHOOK_SECRETS")
        DATE = "date", _("not signed just now")
        BODY = "body", _("a body that cannot be kept")

    account = models.CharField(_("account"), max_length=50, blank=True, default="")
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    day = models.DateField(_("day"))
    count = models.PositiveIntegerField(_("count"), default=0)
    last_at = models.DateTimeField(_("last time"), default=timezone.now, db_index=True)

    objects = WriterManager["WebhookRefusal"]()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("refused webhook")
        verbose_name_plural = _("refused webhooks")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "reason", "day"), name="xcover_webhook_refusal_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.get_reason_display()}".strip()
