"""The history of a package: decisions, attempts, flags, staff actions and accesses."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.operation import Operation
from django_xcover.models.package import Quote, QuotePackage
from django_xcover.models.status import Attention, Choice


class DecisionsAreFinal(TypeError):
    """Code tried to change or delete a recorded decision."""


class DecisionQuerySet(models.QuerySet["Decision"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise DecisionsAreFinal("Decisions are appended, never changed.")

    def delete(self) -> NoReturn:
        raise DecisionsAreFinal("Decisions are appended, never removed.")


class Decision(models.Model):
    """The answer, or the lack of one, to one offered quote. Append-only.

    Charging for cover requires active acceptance (FCA ban on opt-out selling, PS15/22; EU consumer
    rights directive, art. 22), so the content of the page is recorded with it: `shown` contains the
    wording and the documents, `wording_hash` its SHA-256, `template_version` the version of the
    template that rendered it.
    """

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="decisions", on_delete=models.PROTECT
    )
    quote = models.ForeignKey(
        Quote, verbose_name=_("quote"), related_name="decisions", on_delete=models.PROTECT
    )
    choice = models.CharField(_("choice"), max_length=16, choices=Choice)
    price = AmountField(_("price shown"))
    currency = models.CharField(_("currency"), max_length=3)
    # The instalment plan chosen with an acceptance, "" for a single payment.
    instalment_plan = models.CharField(_("instalment plan"), max_length=64, blank=True, default="")
    locale = models.CharField(_("locale"), max_length=10)
    shown = models.JSONField(_("shown"), encoder=DjangoJSONEncoder)
    wording_hash = models.CharField(_("wording"), max_length=64)
    template_version = models.CharField(_("template version"), max_length=20)
    shopper_reference = models.CharField(_("shopper reference"), max_length=100, blank=True)
    order_reference = models.CharField(_("order reference"), max_length=100, blank=True)
    created_at = models.DateTimeField(_("chosen at"), auto_now_add=True, db_index=True)

    objects = WriterManager.from_queryset(DecisionQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ("-pk",)
        # For the list of one choice, newest first. Withdrawn ones are rare.
        indexes = (models.Index(fields=("choice", "id"), name="xcover_decision_choice"),)

    def __str__(self) -> str:
        return f"{self.get_choice_display()} ({self.price:f} {self.currency})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise DecisionsAreFinal("Decisions are appended, never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise DecisionsAreFinal("Decisions are appended, never removed.")


class Attempt(models.Model):
    """One attempt at an operation, recorded when it has ended.

    A running attempt is recorded in the operation's columns. `error` names the kind of failure and
    the refused fields. XCover's messages are left out, because they may repeat customer input.
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
        """Return the flags that are not resolved."""
        return self.filter(resolved_at__isnull=True)


class Flag(models.Model):
    """A reason why a package needs a person's attention, and who resolved it.

    `resolved_by` is the user's primary key, "" if the reason disappeared by itself.
    `QuotePackage.attention` repeats the newest open reason, so that lists can filter by a column.
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
        # For the lists of open flags and of one reason, which are few among many resolved ones.
        indexes = (models.Index(fields=("resolved_at", "reason"), name="xcover_flag_open"),)

    def __str__(self) -> str:
        return f"{self.get_reason_display()} ({self.package})"

    @property
    def is_open(self) -> bool:
        """Return whether it is not resolved."""
        return self.resolved_at is None


class StaffAction(models.Model):
    """An action of a staff member on a package, with the message that was shown to them.

    `by` is the user's primary key and `action` the name of the action, as in its URL.
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
        # Not the sentence, which can quote XCover: a row's name stands in logs and links.
        return f"{self.action} {self.package}"


class AccessRecordsAreFinal(TypeError):
    """Code tried to change or delete a record of an access."""


class AccessRecordQuerySet(models.QuerySet["AccessRecord"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AccessRecordsAreFinal("Records of accesses are appended, never changed.")

    def delete(self) -> NoReturn:
        raise AccessRecordsAreFinal("Records of accesses are only deleted by data retention.")

    def forget(self, before: datetime) -> int:
        """Delete the records older than `before` and return their number."""
        return self.filter(at__lt=before)._raw_delete(self.db)  # noqa: SLF001


class AccessRecord(models.Model):
    """One access to a document, a customer's page at XCover or personal data. Append-only.

    `by` is the user's primary key, "" for a guest. Packages and orders are stored as references, so
    that the record outlives them and contains no personal data of the customer.
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
        raise AccessRecordsAreFinal("Records of accesses are only deleted by data retention.")
