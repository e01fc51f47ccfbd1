"""Who opened what about a customer, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import VendorIdField


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
