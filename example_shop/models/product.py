"""The shop's products: tickets for events, and devices."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.types import Money


class Category(models.TextChoices):
    FESTIVAL = "festival", _("Festivals")
    CONCERT = "concert", _("Concerts")
    STAGE = "stage", _("Stage")
    LAPTOP = "laptop", _("Laptops")
    AUDIO = "audio", _("Sound")
    CAMERA = "camera", _("Cameras")


EVENTS = (Category.FESTIVAL, Category.CONCERT, Category.STAGE)


class ProductQuerySet(models.QuerySet["Product"]):
    def on_sale(self) -> ProductQuerySet:
        """Return the products on sale: devices, and future events."""
        return self.filter(models.Q(starts_at=None) | models.Q(starts_at__gt=timezone.now()))


class Product(models.Model):
    """An event if `starts_at` is set, else a device. Prices include tax and delivery."""

    slug = models.SlugField(_("slug"), unique=True)
    category = models.CharField(_("category"), max_length=20, choices=Category)
    name = models.CharField(_("name"), max_length=100)
    tagline = models.CharField(_("tagline"), max_length=140)
    description = models.TextField(_("description"))
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    starts_at = models.DateTimeField(_("starts"), null=True, blank=True)
    venue = models.CharField(_("venue"), max_length=100, blank=True)
    city = models.CharField(_("city"), max_length=60, blank=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    price_gbp = models.DecimalField(_("price in GBP"), max_digits=10, decimal_places=2)
    price_eur = models.DecimalField(_("price in EUR"), max_digits=10, decimal_places=2)
    price_jpy = models.DecimalField(_("price in JPY"), max_digits=10, decimal_places=0)

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ("position", "pk")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("shop:product", args=[self.slug])

    @property
    def is_event(self) -> bool:
        return self.starts_at is not None

    @property
    def location(self) -> str:
        """Return "venue, city" of an event."""
        return f"{self.venue}, {self.city}"

    @property
    def art(self) -> str:
        """Return the static path of the illustration."""
        return f"shop/art/{self.slug}.svg"

    def price_in(self, currency: str) -> Money:
        """Return the unit price in `currency`, which is a market's currency."""
        amount: Decimal = getattr(self, f"price_{currency.lower()}")
        return Money(amount, currency)
