"""The permanent record of a customer's statement of withdrawal from, or cancellation of, cover."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.cancellation import Cancellation


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
