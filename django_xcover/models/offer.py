"""Attempts to quote a cart, offers after the sale, and the numbers of offers."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField
from django_xcover.models.status import Choice
from django_xcover.types import Money


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


class AfterSaleOffer(models.Model):
    """Cover offered for an order after the sale, and the shopper's answer. One row per order.

    XCover stores nothing of it: its price is a fast quote, and the cover is booked instantly once
    it is paid. `request` and `answer` are the request and XCover's answer as exact JSON, because a
    JSON column would turn amounts into floats. `completed_at` is when the order was completed,
    `quoted_at` when XCover was last asked.

    `choice` is the answer, "" without one. `lines` are the references of the accepted items, and
    `premium` is their price, which is due until `paid_at`. Each new price and each new answer
    raises `revision`, so that a payment for an earlier one is recognised.
    """

    order_reference = models.CharField(_("order reference"), max_length=100, unique=True)
    account = models.CharField(_("account"), max_length=50)
    completed_at = models.DateTimeField(editable=False)
    fingerprint = models.CharField(max_length=64, editable=False)
    request = models.TextField(editable=False)
    answer = models.TextField(editable=False)
    revision = models.PositiveIntegerField(default=1, editable=False)
    quoted_at = models.DateTimeField(_("quoted at"))
    choice = models.CharField(_("choice"), max_length=16, blank=True, default="", choices=Choice)
    lines = models.JSONField(default=list, blank=True, editable=False)
    premium = AmountField(_("premium"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    template_version = models.CharField(max_length=20, blank=True, default="", editable=False)
    answered_at = models.DateTimeField(null=True, blank=True, editable=False)
    paid_at = models.DateTimeField(null=True, blank=True, editable=False)
    payment_reference = models.CharField(max_length=100, blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("offer after the sale")
        verbose_name_plural = _("offers after the sale")
        default_permissions = ()

    def __str__(self) -> str:
        return self.order_reference

    @property
    def price(self) -> Money | None:
        """Return the price of the accepted items, None unless the answer is a yes."""
        return None if self.premium is None else Money(self.premium, self.currency)

    @property
    def is_over(self) -> bool:
        """Return whether nothing more is offered: it is paid, or was declined."""
        return self.paid_at is not None or self.choice == Choice.DECLINED


class OfferPlacement(models.TextChoices):
    """Where an offer is made."""

    CHECKOUT = "checkout", _("checkout")
    AFTER_SALE = "after_sale", _("after the sale")


class OfferOutcome(models.TextChoices):
    """The outcome of a request for an offer, or the answer to one that was made after the sale.

    The outcomes from LATE on are reasons of lost offers.
    """

    OFFERED = "offered", _("quoted and offered")
    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
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
    """The number of times that `outcome` occurred at `placement` in one hour, and the last time.

    It contains no personal data. `hour` is the start of the hour in UTC.
    """

    account = models.CharField(_("account"), max_length=50)
    hour = models.DateTimeField(_("hour"))
    placement = models.CharField(
        _("placement"),
        max_length=20,
        choices=OfferPlacement,
        # For processes of the previous version, which still count while the shop is being updated.
        default=OfferPlacement.CHECKOUT,
        db_default=OfferPlacement.CHECKOUT.value,
    )
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
                fields=("account", "hour", "placement", "outcome"), name="xcover_offer_count_once"
            ),
        )
        indexes = (
            models.Index(fields=("account", "outcome", "last_at"), name="xcover_offer_count_last"),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.hour:%Y-%m-%d %H:%M} {self.outcome}"


class OfferResult(models.TextChoices):
    """What became of an offer. It is ACCEPTED if at least one of its quotes is accepted."""

    ACCEPTED = "accepted", _("accepted")
    DECLINED = "declined", _("declined")
    UNANSWERED = "unanswered", _("not answered")
    NO_OFFER = "no_offer", _("no offer")


class Latency(models.TextChoices):
    """How long XCover took to quote."""

    UP_TO_1 = "1", _("up to 1 second")
    UP_TO_2 = "2", _("up to 2 seconds")
    UP_TO_3 = "3", _("up to 3 seconds")
    UP_TO_5 = "5", _("up to 5 seconds")
    OVER_5 = "over", _("over 5 seconds")


class OfferDay(models.Model):
    """The number of offers on one day that have all these values in common.

    It contains no personal data. `day` is in the shop's time zone. `placement` is the one that the
    tag names; `look`, `placement` and `latency` are "" without an offer. `reason` is why there was
    none. `is_ordered` tells whether the cart became an order.
    """

    account = models.CharField(_("account"), max_length=50)
    day = models.DateField(_("day"))
    placement = models.CharField(_("placement"), max_length=40, blank=True)
    look = models.CharField(_("look"), max_length=20, blank=True)
    latency = models.CharField(_("answer of XCover"), max_length=10, blank=True, choices=Latency)
    result = models.CharField(_("result"), max_length=20, choices=OfferResult)
    reason = models.CharField(_("reason"), max_length=20, blank=True, choices=OfferOutcome)
    is_ordered = models.BooleanField(_("ordered"), default=False)
    count = models.PositiveIntegerField(_("count"))

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("offers of a day")
        verbose_name_plural = _("offers by day")
        constraints = (
            models.UniqueConstraint(
                fields=(
                    "day",
                    "account",
                    "placement",
                    "look",
                    "latency",
                    "result",
                    "reason",
                    "is_ordered",
                ),
                name="xcover_offer_day_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.day} {self.result}"
