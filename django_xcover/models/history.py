"""What happened to a package besides its own columns. Rows are added and never overwritten."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import VendorIdField
from django_xcover.models.operation import Operation
from django_xcover.models.package import QuotePackage
from django_xcover.models.status import Attention


class Attempt(models.Model):
    """One attempt at an operation, written when it has ended.

    While it runs, the operation's own columns say so. `error` names the kind of failure and the
    refused fields; XCover's sentences can repeat what the customer typed and are not kept here.
    """

    class Outcome(models.TextChoices):
        DONE = "done", _("done")
        FAILED = "failed", _("failed, and is tried again")
        STOPPED = "stopped", _("failed, and needs a person")
        REFUSED = "refused", _("refused by XCover")
        OBSOLETE = "obsolete", _("no longer needed")
        DIED = "died", _("its worker died")

    operation = models.ForeignKey(
        Operation, verbose_name=_("operation"), related_name="history", on_delete=models.CASCADE
    )
    number = models.PositiveSmallIntegerField(_("number"))
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome)
    error = models.CharField(_("error"), max_length=255, blank=True, default="")
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended at"), default=timezone.now)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.operation_id} #{self.number}: {self.outcome}"


class FlagQuerySet(models.QuerySet["Flag"]):
    def open(self) -> FlagQuerySet:
        """Return the flags that nobody has resolved."""
        return self.filter(resolved_at__isnull=True)


class Flag(models.Model):
    """One reason why a person should look at a package, and who resolved it.

    `resolved_by` is the key of the user, "" when the reason went away by itself.
    `QuotePackage.attention` repeats the newest open reason, so that lists filter by a column.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="flags", on_delete=models.CASCADE
    )
    reason = models.CharField(_("reason"), max_length=32, choices=Attention)
    raised_at = models.DateTimeField(_("flagged at"), default=timezone.now)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    resolved_by = models.CharField(_("resolved by"), max_length=64, blank=True, default="")
    note = models.CharField(_("what was done about it"), max_length=200, blank=True, default="")

    objects = WriterManager.from_queryset(FlagQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("flag")
        verbose_name_plural = _("flags")
        ordering = ("-pk",)
        # The list of those that are open, and of one reason: few among the many that are resolved.
        indexes = (models.Index(fields=("resolved_at", "reason"), name="xcover_flag_open"),)

    def __str__(self) -> str:
        return f"{self.get_reason_display()} ({self.package})"

    @property
    def is_open(self) -> bool:
        """Return whether nobody has resolved it."""
        return self.resolved_at is None


class StaffAction(models.Model):
    """One thing that a member of staff did about a package, in the sentence they were shown.

    `by` is the key of the user and `action` the name of the action, as in its address.
    """

    package = models.ForeignKey(
        QuotePackage,
        verbose_name=_("package"),
        related_name="staff_actions",
        on_delete=models.CASCADE,
    )
    action = models.CharField(_("action"), max_length=40)
    by = models.CharField(_("by"), max_length=64)
    sentence = models.TextField(_("what was done"))
    at = models.DateTimeField(_("at"), default=timezone.now)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("staff action")
        verbose_name_plural = _("staff actions")
        ordering = ("pk",)

    def __str__(self) -> str:
        return self.sentence


class AccessRecordsAreFinal(TypeError):
    """A record of an access was about to be changed or removed."""


class AccessRecordQuerySet(models.QuerySet["AccessRecord"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AccessRecordsAreFinal("Records of accesses are appended, never changed.")

    def delete(self) -> NoReturn:
        raise AccessRecordsAreFinal("Records of accesses are removed by retention alone.")

    def forget(self, before: datetime) -> int:
        """Delete those older than `before` and return how many."""
        return self.filter(at__lt=before)._raw_delete(self.db)  # noqa: SLF001


class AccessRecord(models.Model):
    """One opening of a document, of a customer's page at XCover, or of personal data. Append-only.

    `by` is the key of the user, "" for a guest. It names packages and orders by reference, so that
    it outlives them and holds nothing of the customer itself.
    """

    class What(models.TextChoices):
        DOCUMENT = "document", _("document or page at XCover")
        PAGE = "page", _("page in the admin")
        LIST = "list", _("list in the admin")

    what = models.CharField(_("what"), max_length=16, choices=What)
    detail = models.CharField(_("which"), max_length=64, blank=True, default="")
    by = models.CharField(_("by"), max_length=64, blank=True, default="", db_index=True)
    is_staff = models.BooleanField(_("staff"), default=False)
    account = models.CharField(_("account"), max_length=50, blank=True, default="")
    package_id = VendorIdField(_("package id"), blank=True, default="", db_index=True)
    order_reference = models.CharField(
        _("order reference"), max_length=100, blank=True, default="", db_index=True
    )
    at = models.DateTimeField(_("at"), default=timezone.now, db_index=True)

    objects = WriterManager.from_queryset(AccessRecordQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("access")
        verbose_name_plural = _("accesses")
        ordering = ("-pk",)

    def __str__(self) -> str:
        return f"{self.get_what_display()} {self.detail}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AccessRecordsAreFinal("Records of accesses are appended, never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AccessRecordsAreFinal("Records of accesses are removed by retention alone.")
