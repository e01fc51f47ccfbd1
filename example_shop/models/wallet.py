"""A wallet payment that is taken before the order is created, with the order's data."""

from __future__ import annotations

import secrets
from decimal import Decimal

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from django_xcover.types import Money
from example_shop.models.order import Order


def new_reference() -> str:
    """Return a random reference, because it gives access to the payment's page."""
    return secrets.token_urlsafe(24)


class WalletPayment(models.Model):
    """The content of the payment, fixed when the shopper leaves for the wallet.

    The shopper may come back with another cart or no session at all, so nothing is read from
    either again. `hold` is the reference of the frozen cover.
    """

    reference = models.CharField(
        _("reference"), max_length=40, unique=True, default=new_reference, editable=False
    )
    hold = models.CharField(_("cover held"), max_length=60)
    cart_reference = models.CharField(_("cart"), max_length=40)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("shopper"), null=True, on_delete=models.SET_NULL
    )
    # Fields of the order, and of each of its lines.
    details = models.JSONField(_("details"), encoder=DjangoJSONEncoder)
    lines = models.JSONField(_("lines"), encoder=DjangoJSONEncoder)
    currency = models.CharField(_("currency"), max_length=3)
    goods_total = models.DecimalField(_("goods"), max_digits=12, decimal_places=2)
    premium = models.DecimalField(
        _("insurance premium"), max_digits=12, decimal_places=2, null=True
    )
    order = models.OneToOneField(
        Order, verbose_name=_("order"), null=True, on_delete=models.CASCADE
    )
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    paid_at = models.DateTimeField(_("paid"), null=True)
    ended_at = models.DateTimeField(_("given up"), null=True)

    class Meta:
        verbose_name = _("wallet payment")
        verbose_name_plural = _("wallet payments")

    def __str__(self) -> str:
        return f"{self.total} of {self.started_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return reverse("shop:wallet", args=[self.reference])

    @property
    def total(self) -> Money:
        return Money(self.goods_total + (self.premium or Decimal(0)), self.currency)

    @property
    def cover(self) -> Money | None:
        return None if self.premium is None else Money(self.premium, self.currency)
