"""Modifications, renewals and instalments of booked cover."""

from __future__ import annotations

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.client.schemas import requests
from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.package import Quote, QuotePackage
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.types import Money


class Modification(models.Model):
    """One change to a booking.

    A change that does not affect the price is made directly (`PATCH`). Any other is quoted first
    and confirmed once the shop has settled the difference. `price_diff` is new minus old: a
    positive amount is to be charged, a negative one refunded. `changes` is the request body. It can
    contain personal data, so at most the policy ids remain once the modification has ended.
    """

    class State(models.TextChoices):
        QUOTED = "quoted", _("quoted")
        REQUESTED = "requested", _("being changed")
        CONFIRMED = "confirmed", _("changed")
        ABANDONED = "abandoned", _("abandoned")
        REFUSED = "refused", _("refused by XCover")

    package = models.ForeignKey(
        QuotePackage,
        verbose_name=_("package"),
        related_name="modifications",
        on_delete=models.PROTECT,
    )
    update_id = VendorIdField(_("update id"), blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.QUOTED, db_index=True
    )
    origin = models.CharField(_("asked for by"), max_length=16)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    price_before = AmountField(_("price before"))
    price_after = AmountField(_("price after"))
    price_diff = AmountField(_("difference"))
    currency = models.CharField(_("currency"), max_length=3)
    settled_at = models.DateTimeField(_("difference settled at"), null=True, blank=True)
    settlement_reference = models.CharField(
        _("settlement reference"), max_length=100, blank=True, default=""
    )
    confirmed_at = models.DateTimeField(_("changed at"), null=True, blank=True)
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("modification")
        verbose_name_plural = _("modifications")
        ordering = ("-pk",)
        permissions = (("modify_policy", _("Can change policies")),)

    def __str__(self) -> str:
        return self.update_id or f"{self.package} ({self.get_state_display()})"

    @property
    def difference(self) -> Money:
        """Return the amount to charge (positive) or to refund (negative)."""
        return Money(self.price_diff, self.currency)

    @property
    def quote_ids(self) -> list[str]:
        """Return the ids of the changed policies, none if it changes the policyholder."""
        return requests.quote_ids(self.changes)

    @property
    def requested(self) -> requests.Changes:
        """Return the changes. Once it has ended, they only name the policies."""
        return requests.read_changes(self.changes)


class Renewal(models.Model):
    """The next period of a booking with renewable policies.

    `due_on` is the end of the current period and identifies the renewal among those of the booking.
    XCover has two ids for a renewal: `renewal_id` (`…-UPD`) comes with the price; `announced_id`
    (`…-REN`) comes from an unverified webhook and is used for the legacy confirmation if there is
    no other. `payload` has the quotes of the next period and no data about the customer.
    """

    class State(models.TextChoices):
        DUE = "due", _("due")
        QUOTED = "quoted", _("quoted")
        PAID = "paid", _("paid")
        CONFIRMED = "confirmed", _("renewed")
        OPTING_OUT = "opting_out", _("being declined")
        OPTED_OUT = "opted_out", _("declined")
        EXPIRED = "expired", _("expired")

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="renewals", on_delete=models.PROTECT
    )
    renewal_id = VendorIdField(_("renewal id"), blank=True, default="")
    announced_id = VendorIdField(_("announced renewal id"), blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.DUE, db_index=True
    )
    due_on = models.DateTimeField(_("due on"), db_index=True)
    price = AmountField(_("price"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    starts_at = models.DateTimeField(_("start"), null=True, blank=True)
    ends_at = models.DateTimeField(_("end"), null=True, blank=True)
    notified_at = models.DateTimeField(_("customer notified at"), null=True, blank=True)
    telling_until = models.DateTimeField(null=True, blank=True, editable=False)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    payment_reference = models.CharField(
        _("payment reference"), max_length=100, blank=True, default=""
    )
    confirmed_at = models.DateTimeField(_("renewed at"), null=True, blank=True)
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("renewal")
        verbose_name_plural = _("renewals")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("package", "due_on"), name="xcover_renewal_once"),
        )
        permissions = (("renew_policy", _("Can renew policies")),)

    def __str__(self) -> str:
        return self.renewal_id or f"{self.package} ({self.get_state_display()})"

    @property
    def premium(self) -> Money | None:
        """Return the price of the next period, or None before it is quoted."""
        return None if self.price is None else Money(self.price, self.currency)


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
