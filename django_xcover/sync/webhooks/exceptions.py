"""Refusals of webhooks, and their counts."""

from __future__ import annotations

from django.core.exceptions import BadRequest
from django.db import DatabaseError, transaction
from django.db.models import F
from django.http import Http404
from django.utils import timezone

from django_xcover import safe_logging
from django_xcover.models import WebhookRefusal

logger = safe_logging.get_logger("django_xcover.webhooks")

Reason = WebhookRefusal.Reason


class WebhookRefused(BadRequest):
    """The sender can't be verified, or the body can't be stored: 400.

    `str()` is for the log and contains no value from the request; `reason` is what is counted.
    """

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class NoSuchReceiver(Http404):
    """The account in the URL does not exist, or has no WEBHOOK_SECRETS: 404."""

    reason = Reason.NO_RECEIVER


def count(account: str, reason: Reason) -> None:
    """Count one refused request. If the database fails, only the count is lost."""
    now = timezone.now()
    row = {"account": account, "reason": reason, "day": now.date()}
    more = {"count": F("count") + 1, "last_at": now}
    try:
        with transaction.atomic():
            if WebhookRefusal.objects.filter(**row).update(**more):
                return
            new = WebhookRefusal(**row, last_at=now)
            WebhookRefusal.objects.bulk_create([new], ignore_conflicts=True)
            WebhookRefusal.objects.filter(**row).update(**more)
    except DatabaseError as error:
        logger.warning("A refused webhook was not counted: %s", type(error).__name__)
