"""The payment schedule of a policy that is paid in instalments."""

from __future__ import annotations

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.package import Quote
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.types import Money


class InstalmentQuerySet(models.QuerySet["Instalment"]):
    def open(self) -> InstalmentQuerySet:
        """Return the instalments still to be collected: neither paid nor reported as paid.

        One that the shop has reported as paid is not open, even before XCover has recorded it.
        """
        # Two ranges, because no index serves a NOT, and XCover may send other statuses.
        paid = Instalment.Status.PAID
        unpaid = models.Q(status__lt=paid) | models.Q(status__gt=paid)
        return self.filter(unpaid, paid_at=None)

    def overdue(self, now: datetime) -> InstalmentQuerySet:
        """Return the open instalments whose period has begun.

        Cancelled policies have none. A renewed policy can still owe its last instalments.
        """
        owing = self.open().filter(quote__status__in=COLLECTED_FOR)
        return owing.filter(period_start_date__lt=now)


class Instalment(models.Model):
    """One instalment of a policy, as XCover schedules it.

    XCover rounds each instalment up, so their sum differs from the price (recorded: 12 x 0.17 is
    2.04, not 2.01). Charge `total_amount`, never the price divided by n. XCover reports the first
    as PAID immediately. `status` is XCover's. `paid_at` is the time of a payment that the shop
    reported, and `payment_reference` the shop's reference of that payment.
    """

    class Status(models.TextChoices):
        UNPAID = "UNPAID", _("unpaid")
        PAID = "PAID", _("paid")
        FAILED = "FAILED", _("payment failed")

    quote = models.ForeignKey(
        Quote, verbose_name=_("policy"), related_name="instalments", on_delete=models.PROTECT
    )
    instalment_id = VendorIdField(_("instalment id"))
    number = models.PositiveSmallIntegerField(_("number"))
    status = models.CharField(_("status"), max_length=16, default=Status.UNPAID)
    period_start_date = models.DateTimeField(_("period starts"), db_index=True)
    period_end_date = models.DateTimeField(_("period ends"))
    total_amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    failures = models.PositiveSmallIntegerField(_("failed payments"), default=0)
    attempted_at = models.DateTimeField(_("last payment attempted"), null=True, blank=True)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    payment_reference = models.CharField(
        _("payment reference"), max_length=100, blank=True, default=""
    )
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager.from_queryset(InstalmentQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("instalment")
        verbose_name_plural = _("instalments")
        ordering = ("quote", "number")
        constraints = (
            models.UniqueConstraint(fields=("quote", "number"), name="xcover_instalment_once"),
        )
        indexes = (
            models.Index(fields=("status", "period_start_date"), name="xcover_instalment_overdue"),
        )
        permissions = (("report_instalment", _("Can report instalment payments")),)

    def __str__(self) -> str:
        return f"{self.number}: {self.total_amount} {self.currency}"

    @property
    def is_open(self) -> bool:
        """Return whether it is still to be collected, like `InstalmentQuerySet.open`."""
        return self.status != self.Status.PAID and self.paid_at is None

    @property
    def amount(self) -> Money:
        """Return the amount due."""
        return Money(self.total_amount, self.currency)
