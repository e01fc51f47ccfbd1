"""A customer's statement that they withdraw from, or cancel, cover: on record for good."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.cancellation import Cancellation


class WithdrawalsAreFinal(TypeError):
    """A statement on record was about to be changed or removed."""


class WithdrawalQuerySet(models.QuerySet["Withdrawal"]):
    def update(self, **kwargs: Any) -> int:
        """Update the progress of the e-mails; raise WithdrawalsAreFinal for anything else."""
        if not kwargs.keys() <= Withdrawal.PROGRESS:
            raise WithdrawalsAreFinal("Statements are appended, never changed.")
        return super().update(**kwargs)

    def delete(self) -> NoReturn:
        raise WithdrawalsAreFinal("Statements are appended, never removed.")


class Withdrawal(models.Model):
    """What a customer stated, and when. Append-only, except for the progress of its e-mails.

    A statement counts from the moment it is made, whether or not XCover can be reached (directive
    (EU) 2023/2673, art. 11a of 2011/83/EU). `cancellation` carries it out; its policies are those
    withdrawn from. `statement` is what stood on the page that was confirmed, in `language`; `email`
    is where the receipt goes.
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
            # The sweep looks for the few receipts that are not sent yet.
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
