"""Paused accounts, and data that is recorded only to monitor health."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager


class Heartbeat(models.Model):
    """The last time that a periodic task ran.

    It is stored in a row and not in the cache, so that a dead worker is noticed with any cache.
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
    """The number of webhook requests refused on a day (UTC), per account and reason.

    `account` is "" if the URL names no account that accepts webhooks. That name is not stored,
    because any sender can invent one.
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


class AccountPause(models.Model):
    """A paused account, whose operations wait until it is resumed. Without a row it is not paused.

    `reason` and `paused_by` are only displayed. Resuming the account deletes the row.
    """

    account = models.CharField(_("account"), max_length=50, unique=True)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    paused_by = models.CharField(_("paused by"), max_length=150, blank=True, default="")
    paused_at = models.DateTimeField(_("paused since"), default=timezone.now)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("paused account")
        verbose_name_plural = _("paused accounts")
        ordering = ("account",)
        permissions = (("resume_accountpause", _("Can resume paused accounts")),)

    def __str__(self) -> str:
        return self.account
