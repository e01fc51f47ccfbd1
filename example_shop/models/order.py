"""Orders, with a copy of the products' data at the time of the order."""

from __future__ import annotations

import secrets
from decimal import Decimal

from django.conf import settings
from django.core.validators import MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from django_xcover.types import Money
from example_shop.models.product import Product

# No characters that are easily confused when read out on the phone.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"


def new_number() -> str:
    """Return a random order number, which can't be guessed from another one."""
    return "EN-" + "".join(secrets.choice(ALPHABET) for _ in range(10))


class Order(models.Model):
    """An order. `premium` is None without cover, and isn't included in `goods_total`.

    With `dual_payment`, XCover charges the premium, and the shop charges only the goods.
    """

    class Payment(models.TextChoices):
        CARD = "card", _("Card")
        INVOICE = "invoice", _("Invoice, by bank transfer")
        WALLET = "wallet", _("Wallet: pay first, then the order is placed")

    number = models.CharField(_("number"), max_length=20, unique=True, default=new_number)
    # One cart makes one order, however often the form is sent: the database rejects a second.
    cart_reference = models.CharField(_("cart"), max_length=40, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("shopper"),
        related_name="orders",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
    )
    first_name = models.CharField(_("first name"), max_length=60)
    last_name = models.CharField(_("last name"), max_length=60)
    email = models.EmailField(_("e-mail"))
    phone = models.CharField(_("phone"), max_length=20, blank=True)
    address = models.CharField(_("street and number"), max_length=120)
    city = models.CharField(_("town or city"), max_length=60)
    postcode = models.CharField(_("postcode"), max_length=12)
    country = models.CharField(_("country"), max_length=2)
    payment = models.CharField(_("payment"), max_length=10, choices=Payment)
    currency = models.CharField(_("currency"), max_length=3)
    goods_total = models.DecimalField(_("goods"), max_digits=12, decimal_places=2)
    premium = models.DecimalField(
        _("insurance premium"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    dual_payment = models.BooleanField(_("premium charged by XCover"), default=False)
    placed_at = models.DateTimeField(_("placed"), auto_now_add=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ("-placed_at", "-pk")

    def __str__(self) -> str:
        return self.number

    def get_absolute_url(self) -> str:
        return reverse("shop:order", args=[self.number])

    @property
    def goods(self) -> Money:
        return Money(self.goods_total, self.currency)

    @property
    def cover(self) -> Money | None:
        """Return the insurance premium, or None without cover."""
        return None if self.premium is None else Money(self.premium, self.currency)

    @property
    def total(self) -> Money:
        return Money(self.goods_total + (self.premium or Decimal(0)), self.currency)

    @property
    def is_paid(self) -> bool:
        return self.paid_at is not None

    @property
    def by_card(self) -> bool:
        return self.payment == self.Payment.CARD


class OrderLine(models.Model):
    """A line of an order. `unit_price` is in the order's currency."""

    order = models.ForeignKey(
        Order, verbose_name=_("order"), related_name="lines", on_delete=models.CASCADE
    )
    product = models.ForeignKey(Product, verbose_name=_("product"), on_delete=models.PROTECT)
    name = models.CharField(_("name"), max_length=100)
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    location = models.CharField(_("location"), max_length=170, blank=True)
    quantity = models.PositiveSmallIntegerField(_("quantity"), validators=[MinValueValidator(1)])
    unit_price = models.DecimalField(_("unit price"), max_digits=10, decimal_places=2)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ("pk",)

    def __str__(self) -> str:
        return f"{self.quantity} \u00d7 {self.name}"

    @property
    def total(self) -> Money:
        return Money(self.unit_price * self.quantity, self.order.currency)
