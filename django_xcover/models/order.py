"""A premium frozen for an order, and events of orders that could not be processed immediately."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager
from django_xcover.models.fields import AmountField, VendorIdField
from django_xcover.models.package import QuotePackage
from django_xcover.types import Money

UNRESOLVED = Q(taken_at=None, released_at=None)


def new_reference() -> str:
    """Return a reference that cannot be guessed, because it may pass through a browser."""
    return secrets.token_urlsafe(24)


class HoldQuerySet(models.QuerySet["Hold"]):
    def unresolved(self) -> HoldQuerySet:
        """Return the holds neither taken over by an order nor released, expired or not."""
        return self.filter(UNRESOLVED)

    def live(self) -> HoldQuerySet:
        """Return the holds that still freeze their package: unresolved and not expired."""
        return self.unresolved().filter(expires_at__gt=timezone.now())

    def overdue(self, now: datetime) -> HoldQuerySet:
        """Return the expired holds that have not been reported to a person."""
        return self.unresolved().filter(expires_at__lte=now, reported_at=None)

    def with_premium(self) -> HoldQuerySet:
        """Return the holds with a premium. The others record that there is no cover."""
        return self.exclude(amount=None)

    def without_order(self) -> HoldQuerySet:
        """Return the holds whose premium may have been charged, but for which no order came."""
        return self.unresolved().with_premium().exclude(reported_at=None)

    def in_state(self, state: str) -> HoldQuerySet:
        """Return the holds in the state `state`, a value of `Hold.State`."""
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
    """The premium of a cart, frozen until an order takes it over or it is released.

    Every freeze creates one, even for a cart without cover: `amount` is then None, and the order
    does not take over any package that is quoted later. `package` is None if there was none.
    `fingerprint` identifies the contents of the cart. `choices` lists the answer, price and
    instalment plan of each offered quote. While the hold is live, its package does not change.
    After `expires_at` the shopper can choose again, but the package is not changed at XCover, so
    that a late payment can still be booked. `reported_at` is when a person was alerted.
    `order_reference` is the order that took it over, or that came too late to do so.
    """

    class State(models.TextChoices):
        """The state of a hold, derived from its columns and the current time."""

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
            # For the sweep, which looks for expired holds among the few unresolved ones.
            models.Index(
                fields=("taken_at", "released_at", "expires_at"), name="xcover_hold_expired"
            ),
        )

    def __str__(self) -> str:
        return f"{self.account} {self.pk}"

    @property
    def premium(self) -> Money | None:
        """Return the amount to charge with the order, or None without cover."""
        return None if self.amount is None else Money(self.amount, self.currency)

    @property
    def state(self) -> State:
        """Return the current state."""
        if self.taken_at is not None:
            return self.State.NOT_COVERED if self.reported_at else self.State.TAKEN
        if self.released_at is not None:
            return self.State.RELEASED
        if self.reported_at is not None:
            return self.State.NO_ORDER
        return self.State.LIVE if self.is_live else self.State.EXPIRED

    @property
    def is_resolved(self) -> bool:
        """Return whether it was taken over by an order or released."""
        return self.taken_at is not None or self.released_at is not None

    @property
    def is_live(self) -> bool:
        """Return whether it still freezes its package."""
        return not self.is_resolved and self.expires_at > timezone.now()


class OrderEventQuerySet(models.QuerySet["OrderEvent"]):
    def unsettled(self) -> OrderEventQuerySet:
        """Return the events that a worker or a person still has to settle."""
        return self.filter(state__in=(OrderEvent.State.PENDING, OrderEvent.State.NEEDS_PERSON))

    def due(self, now: datetime) -> OrderEventQuerySet:
        """Return the events to settle now. Each waits for the earlier ones of its order.

        It also waits for one that needs a person. If a later cancellation or payment were settled
        first, a retry of the earlier event would book cover that was cancelled meanwhile, or miss a
        payment that found no cover.
        """
        pending = self.filter(state=OrderEvent.State.PENDING)
        earlier = OrderEvent.objects.unsettled().filter(
            order_reference=OuterRef("order_reference"), pk__lt=OuterRef("pk")
        )
        return pending.filter(next_attempt_at__lte=now).exclude(Exists(earlier))

    def needing_person(self) -> OrderEventQuerySet:
        """Return the events that only a person can settle."""
        return self.filter(state=OrderEvent.State.NEEDS_PERSON)


class OrderEvent(models.Model):
    """An order that was completed, paid or cancelled while the adapter failed.

    It is written in the shop's transaction if the adapter raises an exception or returns unusable
    values, so that the event is not lost. A worker calls the adapter again later, and finally a
    person is alerted. The cart is identified by everything that could be read of it: `account` and
    `cart_reference`, the `hold`, and `cart_key` if it is a model instance that can be loaded again.
    `error` never contains the text of the shop's exceptions, which may quote a customer.
    """

    class Kind(models.TextChoices):
        COMPLETED = "completed", _("order completed")
        PAID = "paid", _("payment completed")
        CANCELLED = "cancelled", _("order cancelled")

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        DONE = "done", _("done")
        NEEDS_PERSON = "needs_person", _("needs a person")
        GIVEN_UP = "given_up", _("settled by hand")
        # Carried out at once; an instant booking of the same order may still come.
        NOTED = "noted", _("carried out at once")

    kind = models.CharField(_("what happened"), max_length=16, choices=Kind)
    order_reference = models.CharField(_("order reference"), max_length=100, db_index=True)
    account = models.CharField(_("account"), max_length=50, blank=True, default="")
    cart_reference = models.CharField(_("cart reference"), max_length=100, blank=True, default="")
    cart_key = models.CharField(max_length=200, blank=True, default="", editable=False)
    hold = models.CharField(max_length=64, blank=True, default="", editable=False)
    is_cart_unknown = models.BooleanField(_("cart unknown"), default=False)
    # None for the whole order.
    lines = models.JSONField(_("cancelled lines"), null=True, encoder=DjangoJSONEncoder)
    reason = models.CharField(_("reason"), max_length=200, blank=True, default="")
    state = models.CharField(_("state"), max_length=16, choices=State, default=State.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), default=timezone.now)
    error = models.CharField(_("last error"), max_length=255, blank=True, default="")
    given_up = models.CharField(_("what was done about it"), max_length=200, blank=True, default="")
    created_at = models.DateTimeField(_("created at"), auto_now_add=True, db_index=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    objects = WriterManager.from_queryset(OrderEventQuerySet)()

    class Meta:
        base_manager_name = "objects"
        verbose_name = _("unsettled order")
        verbose_name_plural = _("unsettled orders")
        ordering = ("-pk",)
        indexes = (
            models.Index(fields=("state", "next_attempt_at"), name="xcover_order_event_due"),
        )
        permissions = (
            ("retry_orderevent", _("Can retry unsettled orders")),
            ("give_up_orderevent", _("Can mark unsettled orders as settled by hand")),
        )

    def __str__(self) -> str:
        return f"{self.order_reference}: {self.get_kind_display()}"
