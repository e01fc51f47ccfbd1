"""A lock that lets one process at a time quote a cart."""

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
