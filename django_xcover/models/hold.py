"""A frozen premium on its way from the checkout to an order."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.package import QuotePackage
from django_xcover.types import Money

UNRESOLVED = Q(taken_at=None, released_at=None)


def new_reference() -> str:
    """Return a reference that cannot be guessed: it may travel through a shopper's browser."""
    return secrets.token_urlsafe(24)


class HoldQuerySet(models.QuerySet["Hold"]):
    def unresolved(self) -> HoldQuerySet:
        """Return those that no order has taken over and nobody has released, expired or not."""
        return self.filter(UNRESOLVED)

    def live(self) -> HoldQuerySet:
        """Return those that still fix their package: unresolved and not expired."""
        return self.unresolved().filter(expires_at__gt=timezone.now())

    def overdue(self, now: datetime) -> HoldQuerySet:
        """Return the expired ones that no person has been alerted to."""
        return self.unresolved().filter(expires_at__lte=now, reported_at=None)

    def with_premium(self) -> HoldQuerySet:
        """Return those with a premium to charge. The others hold that there is no cover."""
        return self.exclude(amount=None)

    def without_order(self) -> HoldQuerySet:
        """Return the premiums that may have been charged and for which no order came."""
        return self.unresolved().with_premium().exclude(reported_at=None)

    def in_state(self, state: str) -> HoldQuerySet:
        """Return those in this `Hold.state`."""
        now, waiting = timezone.now(), self.unresolved()
        taken = self.exclude(taken_at=None)
        return {
            Hold.State.LIVE: waiting.filter(reported_at=None, expires_at__gt=now),
            Hold.State.EXPIRED: waiting.filter(reported_at=None, expires_at__lte=now),
            Hold.State.NO_ORDER: waiting.exclude(reported_at=None),
            Hold.State.RELEASED: self.filter(taken_at=None).exclude(released_at=None),
            Hold.State.TAKEN: taken.filter(reported_at=None),
            Hold.State.NOT_COVERED: taken.exclude(reported_at=None),
        }[Hold.State(state)]


class Hold(models.Model):
    """What a cart is charged for cover, fixed until an order takes it over or it is released.

    Every freeze leaves one, also the freeze of a cart without cover: `amount` is then None, and no
    package that is quoted later is taken over by the order. `package` is None when there was none,
    and `fingerprint` identifies what was in the cart. `choices` lists the answer, price and
    instalment plan of each offered quote. While the hold is live nothing changes its package.
    After `expires_at` the shopper may choose again, but the package is not changed at XCover, so
    that a payment that arrives late can still be booked. `reported_at` is when a person was
    alerted. `order_reference` is the order that took it over, or that came for it in vain.
    """

    class State(models.TextChoices):
        """What became of it, told by its columns and the clock."""

        LIVE = "live", _("being paid")
        EXPIRED = "expired", _("expired")
        NO_ORDER = "no_order", _("no order came")
        RELEASED = "released", _("released")
        TAKEN = "taken", _("taken over by its order")
        NOT_COVERED = "not_covered", _("order charged and not covered")

    reference = VendorIdField(_("reference"), unique=True, default=new_reference)
    account = models.CharField(_("account"), max_length=50)
    cart_reference = models.CharField(_("cart reference"), max_length=100, db_index=True)
    package = models.ForeignKey(
        QuotePackage,
        verbose_name=_("package"),
        related_name="holds",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
    )
    fingerprint = models.CharField(max_length=64, blank=True, default="", editable=False)
    amount = AmountField(_("premium"), null=True, blank=True)
    currency = models.CharField(_("currency"), max_length=3, blank=True, default="")
    choices = models.JSONField(_("choices"), default=list, encoder=DjangoJSONEncoder)
    order_reference = models.CharField(
        _("order reference"), max_length=100, blank=True, default="", db_index=True
    )
    expires_at = models.DateTimeField(_("expires at"))
    taken_at = models.DateTimeField(_("taken over at"), null=True, blank=True)
    released_at = models.DateTimeField(_("released at"), null=True, blank=True)
    reported_at = models.DateTimeField(_("reported at"), null=True, blank=True)
    created_at = models.DateTimeField(_("frozen at"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    objects = WriterManager.from_queryset(HoldQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        ordering = ("-pk",)
        indexes = (
            # The sweep looks for the expired among the unresolved, which are few.
            models.Index(
                fields=("taken_at", "released_at", "expires_at"), name="xcover_hold_expired"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.pk}"

    @property
    def premium(self) -> Money | None:
        """Return what is charged with the order, None without cover."""
        return None if self.amount is None else Money(self.amount, self.currency)

    @property
    def state(self) -> State:
        """Return what became of it."""
        if self.taken_at is not None:
            return self.State.NOT_COVERED if self.reported_at else self.State.TAKEN
        if self.released_at is not None:
            return self.State.RELEASED
        if self.reported_at is not None:
            return self.State.NO_ORDER
        return self.State.LIVE if self.is_live else self.State.EXPIRED

    @property
    def is_resolved(self) -> bool:
        """Return whether an order has taken it over, or it was released."""
        return self.taken_at is not None or self.released_at is not None

    @property
    def is_live(self) -> bool:
        """Return whether it still fixes its package."""
        return not self.is_resolved and self.expires_at > timezone.now()
