"""Renewals: found due, quoted, notified to the customer, paid, confirmed."""

from __future__ import annotations

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.package import QuotePackage
from django_xcover.types import Money


class Renewal(models.Model):
    """The next period of a booking with renewable policies.

    `due_on` is the end of the current period and identifies the renewal among those of the booking.
    XCover has two ids for a renewal: `renewal_id` (`…-UPD`) comes with the price; `announced_id`
    (`…-REN`) comes from an unverified webhook and is used for the legacy confirmation if there is
    no other. `payload` has the quotes of the next period and no data about the customer.
    """

    class State(models.TextChoices):
        DUE = "due", _("due")
        QUOTED = "quoted", _("quoted")
        PAID = "paid", _("paid")
        CONFIRMED = "confirmed", _("renewed")
        OPTING_OUT = "opting_out", _("being declined")
        OPTED_OUT = "opted_out", _("declined")
        EXPIRED = "expired", _("expired")

    package = models.ForeignKey(
        QuotePackage, verbose_name=_("package"), related_name="renewals", on_delete=models.PROTECT
    )
    renewal_id = VendorIdField(_("renewal id"), blank=True, default="")
    announced_id = VendorIdField(_("announced renewal id"), blank=True, default="")
    state = models.CharField(
        _("state"), max_length=16, choices=State, default=State.DUE, db_index=True
    )
    due_on = models.DateTimeField(_("due on"), db_index=True)
    price = AmountField(_("price"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    starts_at = models.DateTimeField(_("start"), null=True, blank=True)
    ends_at = models.DateTimeField(_("end"), null=True, blank=True)
    notified_at = models.DateTimeField(_("customer told at"), null=True, blank=True)
    telling_until = models.DateTimeField(null=True, blank=True, editable=False)
    paid_at = models.DateTimeField(_("paid at"), null=True, blank=True)
    payment_reference = models.CharField(
        _("payment reference"), max_length=100, blank=True, default=""
    )
    confirmed_at = models.DateTimeField(_("renewed at"), null=True, blank=True)
    payload = models.JSONField(_("last answer"), default=dict, encoder=DjangoJSONEncoder)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("renewal")
        verbose_name_plural = _("renewals")
        ordering = ("-pk",)
        constraints = (
            models.UniqueConstraint(fields=("package", "due_on"), name="xcover_renewal_once"),
        )
        permissions = (("renew_policy", _("Can renew policies")),)

    def __str__(self) -> str:
        return self.renewal_id or f"{self.package} ({self.get_state_display()})"

    @property
    def premium(self) -> Money | None:
        """Return the price of the next period, or None before it is quoted."""
        return None if self.price is None else Money(self.price, self.currency)
