"""Modifications of bookings."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.client.schemas import requests
from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.package import QuotePackage
from django_xcover.types import Money


class Modification(models.Model):
    """One change to a booking.

    A change that does not affect the price is made directly (`PATCH`). Any other is quoted first
    and confirmed once the shop has settled the difference. `price_diff` is new minus old: a
    positive amount is to be charged, a negative one refunded. `changes` is the request body. It can
    contain personal data, so at most the policy ids remain once the modification has ended.
    """

    class State(models.TextChoices):
        QUOTED = "quoted", _("quoted")
        REQUESTED = "requested", _("being changed")
        CONFIRMED = "confirmed", _("changed")
        ABANDONED = "abandoned", _("abandoned")
        REFUSED = "refused", _("refused by XCover")

    package = models.ForeignKey(
        QuotePackage,
        verbose_name=_("package"),
        related_name="modifications",
        on_delete=models.PROTECT,
    )
    update_id = VendorIdField(_("update id"), blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.QUOTED, db_index=True
    )
    origin = models.CharField(_("asked for by"), max_length=16)
    changes = models.JSONField(_("changes"), default=dict, encoder=DjangoJSONEncoder)
    price_before = AmountField(_("price before"))
    price_after = AmountField(_("price after"))
    price_diff = AmountField(_("difference"))
    currency = models.CharField(_("currency"), max_length=3)
    settled_at = models.DateTimeField(_("difference settled at"), null=True, blank=True)
    settlement_reference = models.CharField(
        _("settlement reference"), max_length=100, blank=True, default=""
    )
    confirmed_at = models.DateTimeField(_("changed at"), null=True, blank=True)
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("modification")
        verbose_name_plural = _("modifications")
        ordering = ("-pk",)
        permissions = (("modify_policy", _("Can change policies")),)

    def __str__(self) -> str:
        return self.update_id or f"{self.package} ({self.get_state_display()})"

    @property
    def difference(self) -> Money:
        """Return the amount to charge (positive) or to refund (negative)."""
        return Money(self.price_diff, self.currency)

    @property
    def quote_ids(self) -> list[str]:
        """Return the ids of the changed policies, none if it changes the policyholder."""
        return requests.quote_ids(self.changes)

    @property
    def requested(self) -> requests.Changes:
        """Return the changes. Once it has ended, they only name the policies."""
        return requests.read_changes(self.changes)
