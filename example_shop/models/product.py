"""The shop's products: tickets, trips, parcel labels, flats and devices."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING

from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.types import Money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


class Category(models.TextChoices):
    FESTIVAL = "festival", _("Festivals")
    CONCERT = "concert", _("Concerts")
    STAGE = "stage", _("Stage")
    FLIGHT = "flight", _("Flights")
    STAY = "stay", _("Stays")
    PARCEL = "parcel", _("Parcels")
    FLAT = "flat", _("Flats")
    LAPTOP = "laptop", _("Laptops")
    AUDIO = "audio", _("Sound")
    CAMERA = "camera", _("Cameras")


class Kind(Enum):
    """What a product is, which decides what the shopper is asked and how it is insured."""

    EVENT = "event"
    FLIGHT = "flight"
    STAY = "stay"
    PARCEL = "parcel"
    FLAT = "flat"
    DEVICE = "device"


# What the price is for, if it isn't one piece.
UNITS = {
    Kind.FLIGHT: _("per traveller, there and back"),
    Kind.STAY: _("per night"),
    Kind.PARCEL: _("per parcel, up to 10 kg"),
    Kind.FLAT: _("for the first month"),
}


KINDS: dict[str, Kind] = {
    Category.FESTIVAL: Kind.EVENT,
    Category.CONCERT: Kind.EVENT,
    Category.STAGE: Kind.EVENT,
    Category.FLIGHT: Kind.FLIGHT,
    Category.STAY: Kind.STAY,
    Category.PARCEL: Kind.PARCEL,
    Category.FLAT: Kind.FLAT,
}


class ProductQuerySet(models.QuerySet["Product"]):
    def on_sale(self) -> ProductQuerySet:
        """Return the products on sale: all but past events."""
        return self.filter(models.Q(starts_at=None) | models.Q(starts_at__gt=timezone.now()))


class Product(models.Model):
    """Something on sale. Only events have `starts_at`. Prices include tax and delivery.

    `venue`, `city` and `country` are where an event, a stay or a flat is, or where a flight goes.
    """

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
    def kind(self) -> Kind:
        return KINDS.get(self.category, Kind.DEVICE)

    @property
    def shelf(self) -> StrOrPromise:
        """Return the heading under which the home page shows the product."""
        if self.is_event:
            return _("Coming up")
        return _("Going away, moving in") if self.unit else _("For the days in between")

    @property
    def unit(self) -> StrOrPromise:
        """Return what the price is for, "" for one piece."""
        return UNITS.get(self.kind, "")

    @property
    def is_event(self) -> bool:
        return self.kind == Kind.EVENT

    @property
    def location(self) -> str:
        """Return "venue, city"."""
        return ", ".join(filter(None, (self.venue, self.city)))

    @property
    def art(self) -> str:
        """Return the static path of the illustration."""
        return f"shop/art/{self.slug}.svg"

    def price_in(self, currency: str) -> Money:
        """Return the unit price in `currency`, which is a market's currency."""
        amount: Decimal = getattr(self, f"price_{currency.lower()}")
        return Money(amount, currency)
