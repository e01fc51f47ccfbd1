"""The lock under which a cart is quoted."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager


class QuoteAttempt(models.Model):
    """A cart that is being quoted right now; the row is deleted at the end.

    `cart` is a hash of account and cart. It is unique, so exactly one process quotes a cart.
    `fingerprint` is what is being quoted. `token` names the attempt: one that was taken over
    does not delete the row of its successor.
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
