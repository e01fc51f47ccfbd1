"""Attempts to quote a cart, and counts of offers made and lost."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager


class QuoteAttempt(models.Model):
    """A cart that is being quoted. The row is deleted afterwards.

    `cart` is a hash of account and cart. It is unique, so only one process quotes a cart at a time.
    `fingerprint` identifies the items being quoted. `token` identifies the attempt, so that an
    attempt that was taken over does not delete the row of its successor.
    """

    cart = models.CharField(_("cart"), max_length=64, unique=True)
    fingerprint = models.CharField(_("fingerprint"), max_length=64)
    token = models.UUIDField(_("token"), default=uuid.uuid4)
    started_at = models.DateTimeField(_("started at"), default=timezone.now)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("quote attempt")
        verbose_name_plural = _("quote attempts")

    def __str__(self) -> str:
        return self.cart


class OfferOutcome(models.TextChoices):
    """The outcome of a request for an offer. All but OFFERED are reasons of lost offers."""

    OFFERED = "offered", _("quoted and offered")
    LATE = "late", _("answered after the deadline")
    NO_ANSWER = "no_answer", _("no answer in time, or no connection")
    FAULT = "fault", _("an answer that cannot be used")
    NOT_AUTHORISED = "not_authorised", _("credentials refused")
    REFUSED = "refused", _("cart refused")
    NOTHING_TO_SELL = "nothing_to_sell", _("no item can be insured")
    RATE_LIMIT = "rate_limit", _("rate limit used up")
    CIRCUIT_OPEN = "circuit_open", _("not asked: circuit open")
    VISITOR_LIMIT = "visitor_limit", _("not asked: too many quotes for one visitor")
    ERROR = "error", _("error in this application")


class OfferCount(models.Model):
    """The number of times that `outcome` occurred in one hour, and the last time.

    It contains no personal data. `hour` is the start of the hour in UTC.
    """

    account = models.CharField(_("account"), max_length=50)
    hour = models.DateTimeField(_("hour"))
    outcome = models.CharField(_("outcome"), max_length=20, choices=OfferOutcome)
    count = models.PositiveIntegerField(_("count"), default=0)
    last_at = models.DateTimeField(_("last seen"))

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("count of offers")
        verbose_name_plural = _("counts of offers")
        constraints = (
            models.UniqueConstraint(
                fields=("account", "hour", "outcome"), name="xcover_offer_count_once"
            ),
        )
        indexes = (
            models.Index(fields=("account", "outcome", "last_at"), name="xcover_offer_count_last"),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.hour:%Y-%m-%d %H:%M} {self.outcome}"
