"""Cancellations, their refunds and corrections of these."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.package import Quote, QuotePackage
from django_xcover.types import Money


class Cancellation(models.Model):
    """One attempt to cancel a booking or some of its policies.

    A preview from XCover has the status CANCELLED although nothing is cancelled (recorded contract,
    4.3), so it is stored here and never changes the package or its quotes. A draft is a
    cancellation that a shopper can confirm although XCover could not provide a preview. `lines` has
    the refund of each policy, the end of its cooling-off period, and the adjustment fee, which is
    *not* deducted from the refund (recorded).
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("not confirmed, refund not known")
        PREVIEWED = "previewed", _("previewed")
        REQUESTED = "requested", _("being cancelled")
        CONFIRMED = "confirmed", _("cancelled")
        EXPIRED = "expired", _("preview expired")
        REFUSED = "refused", _("refused by XCover")
        NOT_NEEDED = "not_needed", _("not needed: nothing was booked")

    class Origin(models.TextChoices):
        SHOPPER = "shopper", _("shopper")
        STAFF = "staff", _("staff")
        SHOP = "shop", _("the shop's order")

    package = models.ForeignKey(
        QuotePackage,
        verbose_name=_("package"),
        related_name="cancellations",
        on_delete=models.PROTECT,
    )
    quotes = models.ManyToManyField(Quote, verbose_name=_("policies"), related_name="cancellations")
    cancellation_id = VendorIdField(_("cancellation id"), blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.PREVIEWED, db_index=True
    )
    origin = models.CharField(_("asked for by"), max_length=16, choices=Origin)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    lines = models.JSONField(_("refund per policy"), default=list, encoder=DjangoJSONEncoder)
    total_refund = AmountField(_("total refund"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    confirm_before = models.DateTimeField(_("confirm before"), null=True, blank=True)
    confirmed_at = models.DateTimeField(_("cancelled at"), null=True, blank=True)
    refunded = AmountField(_("refund recorded"), null=True, blank=True)
    refund_reference = models.CharField(
        _("refund reference"), max_length=100, blank=True, default=""
    )
    refunded_at = models.DateTimeField(_("refunded at"), null=True, blank=True)
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("cancellation")
        verbose_name_plural = _("cancellations")
        ordering = ("-pk",)
        # For the list of unrecorded refunds, which are few among many finished cancellations.
        indexes = (models.Index(fields=("state", "refunded_at"), name="xcover_cancellation_owed"),)
        permissions = (
            ("cancel_policy", _("Can cancel policies")),
            ("record_refund", _("Can record refunds")),
            ("exceed_refund", _("Can record refunds above what XCover names")),
        )

    def __str__(self) -> str:
        return self.cancellation_id or f"{self.package} ({self.get_state_display()})"

    @property
    def refund(self) -> Money | None:
        """Return the amount to refund according to XCover, or None while it is unknown."""
        return None if self.total_refund is None else Money(self.total_refund, self.currency)


class RefundCorrection(models.Model):
    """A correction of a recorded refund: the values before and after, the reason and the author.

    `Cancellation.refunded` and its reference are authoritative; this is their history. `by` is the
    user's primary key, "" for the shop's own code.
    """

    cancellation = models.ForeignKey(
        Cancellation,
        verbose_name=_("cancellation"),
        related_name="corrections",
        on_delete=models.CASCADE,
    )
    amount_before = AmountField(_("amount before"))
    reference_before = models.CharField(_("reference before"), max_length=100, blank=True)
    amount = AmountField(_("amount"))
    reference = models.CharField(_("reference"), max_length=100, blank=True)
    reason = models.CharField(_("reason"), max_length=200)
    by = models.CharField(_("by"), max_length=64, blank=True, default="")
    at = models.DateTimeField(_("at"), auto_now_add=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("refund correction")
        verbose_name_plural = _("refund corrections")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.cancellation} ({self.amount_before:f} → {self.amount:f})"
