"""Cancellations with their refunds, and customers' statements of withdrawal."""

from __future__ import annotations

from typing import Any, NoReturn

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
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


class WithdrawalsAreFinal(TypeError):
    """Code tried to change or delete a recorded statement."""


class WithdrawalQuerySet(models.QuerySet["Withdrawal"]):
    def update(self, **kwargs: Any) -> int:
        """Update the progress of the e-mails. Raise WithdrawalsAreFinal for other columns."""
        if not kwargs.keys() <= Withdrawal.PROGRESS:
            raise WithdrawalsAreFinal("Statements are appended, never changed.")
        return super().update(**kwargs)

    def delete(self) -> NoReturn:
        raise WithdrawalsAreFinal("Statements are appended, never removed.")


class Withdrawal(models.Model):
    """A customer's statement and its time. Append-only, except for the progress of its e-mails.

    A statement takes effect when it is made, even if XCover cannot be reached (directive (EU)
    2023/2673, art. 11a of 2011/83/EU). `cancellation` carries it out and has the affected policies.
    `statement` is the text of the confirmed page, in `language`. The receipt is sent to `email`.
    """

    class Channel(models.TextChoices):
        PAGE = "page", _("My cover")
        LINK = "link", _("guest link")
        API = "api", _("API")

    PROGRESS = frozenset({"receipt_sent_at", "outcome_sent_at", "sending_until"})

    cancellation = models.OneToOneField(
        Cancellation,
        verbose_name=_("cancellation"),
        related_name="withdrawal",
        on_delete=models.PROTECT,
    )
    channel = models.CharField(_("made by"), max_length=16, choices=Channel)
    name = models.CharField(_("name"), max_length=200, blank=True, default="")
    email = models.EmailField(_("e-mail for the receipt"), blank=True, default="")
    language = models.CharField(_("language"), max_length=10)
    statement = models.TextField(_("statement"))
    made_at = models.DateTimeField(_("arrived at"), default=timezone.now, db_index=True)
    receipt_sent_at = models.DateTimeField(_("receipt sent at"), null=True, blank=True)
    outcome_sent_at = models.DateTimeField(_("refund e-mail sent at"), null=True, blank=True)
    sending_until = models.DateTimeField(null=True, blank=True, editable=False)

    objects = WriterManager.from_queryset(WithdrawalQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")
        ordering = ("-pk",)
        indexes = (
            # For the sweep, which looks for the few unsent receipts.
            models.Index(fields=("receipt_sent_at", "made_at"), name="xcover_withdrawal_unsent"),
        )

    def __str__(self) -> str:
        return f"{self.cancellation.package} ({self.get_channel_display()})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise WithdrawalsAreFinal("Statements are appended, never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise WithdrawalsAreFinal("Statements are appended, never removed.")
