"""The inbox: all webhooks with an authenticated sender, stored until they are processed."""

from __future__ import annotations

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import LONGEST_LEASE, WriterManager, due, lapsed
from django_xcover.models.fields import VendorIdField


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
