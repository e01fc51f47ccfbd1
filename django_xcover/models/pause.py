"""Accounts whose outbox is paused."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager


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
