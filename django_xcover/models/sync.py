"""What XCover sends by itself, and the results of comparing its bookings with ours.

The inbox has all webhooks with an authenticated sender, stored until they are processed.
"""

from __future__ import annotations

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import LONGEST_LEASE, WriterManager, due, lapsed
from django_xcover.models.fields import AmountField, VendorIdField


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def claimable(self, now: datetime) -> WebhookDeliveryQuerySet:
        """Return the deliveries a worker may claim: due ones, and those with an expired lease."""
        waiting = Q(due("next_attempt_at", now), state=WebhookDelivery.State.RECEIVED)
        orphaned = Q(lapsed("next_attempt_at", now), state=WebhookDelivery.State.PROCESSING)
        return self.filter(waiting | orphaned)

    def about(self, delivery: WebhookDelivery) -> WebhookDeliveryQuerySet:
        """Return the other deliveries about the same booking, none if it names no booking."""
        rows = self.filter(account=delivery.account, package_id=delivery.package_id)
        return rows.exclude(package_id="").exclude(pk=delivery.pk)

    def waiting(self) -> WebhookDeliveryQuerySet:
        """Return the deliveries that no worker has claimed."""
        return self.filter(state=WebhookDelivery.State.RECEIVED)

    def in_hand(self, now: datetime) -> WebhookDeliveryQuerySet:
        """Return the deliveries that a worker is processing at `now`."""
        leased = self.filter(state=WebhookDelivery.State.PROCESSING, next_attempt_at__gte=now)
        return leased.filter(next_attempt_at__lte=now + LONGEST_LEASE)


class WebhookDelivery(models.Model):
    """One webhook body from XCover, however often it was received.

    XCover's webhooks have no id (Quotes API: webhooks), so `key` is a hash of the body. Two
    different changes can have the same body, so a body that arrives again puts the row back to
    RECEIVED, and the booking is read again. `received_at` is the last arrival, `created_at` the
    first.

    `next_attempt_at` is when it is due and, while it is PROCESSING, when its worker's lease ends.
    `attempts` is a fencing token: only the worker with the latest attempt may write its result.
    """

    class State(models.TextChoices):
        RECEIVED = "received", _("waiting")
        PROCESSING = "processing", _("being processed")
        PROCESSED = "processed", _("processed")
        UNKNOWN = "unknown", _("about no package of ours")
        FAILED = "failed", _("failed")

    account = models.CharField(_("account"), max_length=50)
    key = models.CharField(_("key"), max_length=64)
    event = models.CharField(_("event"), max_length=80, blank=True, default="")
    package_id = VendorIdField(_("package id"), blank=True, default="", db_index=True)
    body = models.JSONField(_("body"), default=dict, encoder=DjangoJSONEncoder)
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.RECEIVED)
    times_received = models.PositiveIntegerField(_("times received"), default=1)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    failures = models.PositiveSmallIntegerField(_("failures"), default=0)
    error = models.TextField(_("last error"), blank=True, default="")
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    received_at = models.DateTimeField(_("received at"), default=timezone.now, db_index=True)
    processed_at = models.DateTimeField(_("processed at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager.from_queryset(WebhookDeliveryQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("key", "account"), name="xcover_webhook_once"),
        )
        indexes = (models.Index(fields=("state", "next_attempt_at"), name="xcover_webhook_due"),)
        permissions = (("replay_webhookdelivery", _("Can replay webhooks")),)

    def __str__(self) -> str:
        return f"{self.event or _('webhook')} {self.package_id}".strip()


WAITING = (WebhookDelivery.State.RECEIVED, WebhookDelivery.State.PROCESSING)


class Reconciliation(models.Model):
    """The current or last pass over an account's bookings.

    A pass reads XCover's list by `offset`, then our own packages and finally the open discrepancies
    that were not seen, both by `last_pk`. The progress is saved after each page, so that an
    interrupted pass continues there. `attempts` is a fencing token: only the latest process to take
    the row may write it. `error` is the code of the error that ended the last attempt at
    `failed_at`, "" if the last attempt succeeded.
    """

    class Phase(models.TextChoices):
        THEIRS = "theirs", _("XCover's bookings")
        OURS = "ours", _("our bookings")
        OPEN = "open", _("what was open")
        DONE = "done", _("finished")

    account = models.CharField(_("account"), max_length=50, unique=True)
    phase = models.CharField(_("phase"), max_length=16, choices=Phase, default=Phase.DONE)
    offset = models.PositiveBigIntegerField(_("place in XCover's list"), default=0)
    last_pk = models.PositiveBigIntegerField(_("last row"), default=0)
    since = models.DateTimeField(_("changed since"), null=True, blank=True)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)
    failed_at = models.DateTimeField(_("failed at"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=64, blank=True, default="")
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("reconciliation")
        verbose_name_plural = _("reconciliations")
        ordering = ("account",)

    def __str__(self) -> str:
        return self.account


class DiscrepancyQuerySet(models.QuerySet["Discrepancy"]):
    def open(self) -> DiscrepancyQuerySet:
        """Return the discrepancies that are neither resolved nor gone."""
        return self.filter(state=Discrepancy.State.OPEN)


class Discrepancy(models.Model):
    """A difference between our data and XCover's that only a person can settle.

    There is one row per account, package, quote and kind, however often it is found. `quote_id` is
    empty if it concerns the whole package. `ours` and `theirs` are the amounts on both sides and
    `at_stake` the amount concerned, all in `currency`. `here` and `there` are the statuses on both
    sides, "" if it does not exist there. The package is stored as XCover's id, because we may not
    have it.
    """

    class Kind(models.TextChoices):
        NOT_COVERED = "not_covered", _("paid but not covered")
        NOT_PAID = "not_paid", _("covered but not paid")
        PRICE_DIFFERS = "price_differs", _("price differs")
        STATUS_DIFFERS = "status_differs", _("status differs")
        UNKNOWN = "unknown", _("unknown to us")

    class State(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("looked into")
        GONE = "gone", _("gone by itself")

    account = models.CharField(_("account"), max_length=50)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind)
    package_id = VendorIdField(_("package id"))
    quote_id = VendorIdField(_("policy id"), blank=True, default="")
    order_reference = models.CharField(
        _("order reference"), max_length=100, blank=True, default="", db_index=True
    )
    currency = models.CharField(_("currency"), max_length=3)
    ours = AmountField(_("amount here"), null=True, blank=True)
    theirs = AmountField(_("amount at XCover"), null=True, blank=True)
    at_stake = AmountField(_("at stake"))
    here = models.CharField(_("here"), max_length=32, blank=True, default="")
    there = models.CharField(_("at XCover"), max_length=32, blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.OPEN, db_index=True
    )
    note = models.CharField(_("what was done"), max_length=200, blank=True, default="")
    resolved_by = models.CharField(_("looked into by"), max_length=150, blank=True, default="")
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    created_at = models.DateTimeField(_("first seen"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager.from_queryset(DiscrepancyQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("discrepancy")
        verbose_name_plural = _("discrepancies")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(
                # The id comes first, because staff search by it.
                fields=("package_id", "quote_id", "kind", "account"),
                name="xcover_discrepancy_once",
            ),
        )
        permissions = (("resolve_discrepancy", _("Can mark discrepancies as looked into")),)

    def __str__(self) -> str:
        return f"{self.package_id}: {self.get_kind_display()}"
