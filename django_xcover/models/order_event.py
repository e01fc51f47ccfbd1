"""Events of the shop's orders that could not be processed immediately."""

from __future__ import annotations

from datetime import datetime

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover.models.base import WriterManager


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
