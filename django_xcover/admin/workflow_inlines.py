"""Cancellations, modifications and renewals of a package, on its page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.badges import state_badge
from django_xcover.admin.base import MirrorInline
from django_xcover.admin.refunds import recorded_refund
from django_xcover.admin.texts import amount
from django_xcover.models import Cancellation, Modification, Renewal
from django_xcover.services.after_sale import difference_text


class WorkflowInline(MirrorInline):
    """Rows with a `state`, newest first; their own page has the rest."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("payload")

    @admin.display(description=_("state"))
    def state_badge(self, row: Any) -> SafeString:
        return state_badge(row)


class CancellationInline(WorkflowInline):
    """What was or could be cancelled."""

    model = Cancellation
    fields = ("state_badge", "refund_shown", "recorded_shown", "origin", "created_at")
    readonly_fields = fields

    @admin.display(description=_("refund"))
    def refund_shown(self, row: Cancellation) -> str:
        return amount(row.total_refund, row.currency)

    @admin.display(description=_("refund recorded"))
    def recorded_shown(self, row: Cancellation) -> SafeString | str:
        return recorded_refund(row)


class ModificationInline(WorkflowInline):
    """What was or could be changed."""

    model = Modification
    fields = ("state_badge", "difference_shown", "settled_at", "origin", "created_at")
    readonly_fields = fields

    @admin.display(description=_("difference"))
    def difference_shown(self, row: Modification) -> str:
        return difference_text(row.difference)


class RenewalInline(WorkflowInline):
    """The next periods."""

    model = Renewal
    fields = ("state_badge", "due_on", "price_shown", "notified_at", "paid_at")
    readonly_fields = fields

    @admin.display(description=_("price"))
    def price_shown(self, row: Renewal) -> str:
        return amount(row.price, row.currency)
