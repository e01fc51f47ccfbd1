"""The inlines of a package's page."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common.base import MirrorInline
from django_xcover.admin.common.display import (
    amount,
    badge,
    choice_badge,
    last_error,
    last_error_without_words,
    link,
    next_attempt,
    policy_url,
    state_badge,
    status_badge,
)
from django_xcover.admin.refunds import recorded_refund
from django_xcover.formats import format_amount
from django_xcover.models import (
    BOOKED,
    Cancellation,
    Decision,
    Modification,
    Operation,
    Quote,
    Renewal,
)
from django_xcover.support.flag_texts import price_differs
from django_xcover.support.follow_ups import difference_text
from django_xcover.support.next_steps import operation_name
from django_xcover.types import Money


class QuoteInline(MirrorInline):
    """Quotes with the price shown and the current price."""

    model = Quote
    verbose_name_plural = _("quotes and policies")
    fields = (
        "label",
        "policy",
        "status_badge",
        "choice_badge",
        "price_chosen",
        "price_now",
        "policy_start_date",
        "policy_end_date",
    )
    readonly_fields = fields
    ordering = ("position",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether the user may view packages, which make no sense without quotes."""
        return request.user.has_perm("xcover.view_quotepackage")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("package")
        return rows.defer("payload", "request", "package__payload")

    @admin.display(description=_("policy"))
    def policy(self, row: Quote) -> SafeString | str:
        is_policy = row.status in BOOKED
        return link(policy_url(row), row.policy_name) if is_policy else row.policy_name

    @admin.display(description=_("status"))
    def status_badge(self, row: Quote) -> SafeString:
        return status_badge(row)

    @admin.display(description=_("choice"))
    def choice_badge(self, row: Quote) -> SafeString | str:
        return choice_badge(row) or "-"

    @admin.display(description=_("agreed price"))
    def price_chosen(self, row: Quote) -> str:
        if row.chosen_price is None:
            return "-"
        return format_amount(Money(row.chosen_price, row.package.currency))

    @admin.display(description=_("price at XCover"))
    def price_now(self, row: Quote) -> SafeString | str:
        price = format_amount(row.cost)
        return badge(price, "bad") if price_differs(row) else price


class DecisionInline(MirrorInline):
    """Decisions, newest first."""

    model = Decision
    fields = ("choice_badge", "insures", "price_shown", "locale", "wording", "created_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request).select_related("quote")
        return rows.defer("shown", "quote__payload", "quote__request")

    @admin.display(description=_("choice"))
    def choice_badge(self, row: Decision) -> SafeString | str:
        return choice_badge(row)

    @admin.display(description=_("insures"))
    def insures(self, row: Decision) -> str:
        return row.quote.label or row.quote.policy_name

    @admin.display(description=_("price shown"))
    def price_shown(self, row: Decision) -> str:
        return format_amount(Money(row.price, row.currency))

    @admin.display(description=_("wording"))
    def wording(self, row: Decision) -> str:
        return row.wording_hash[:12]


class OperationInline(MirrorInline):
    """Operations, newest first."""

    model = Operation
    fields = ("what", "state_badge", "attempts", "next_attempt", "error_in_words", "created_at")
    readonly_fields = (*fields, "error_without_words")
    personal = frozenset({"error_in_words"})
    instead: ClassVar = {"error_in_words": "error_without_words"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("request")

    @admin.display(description=_("operation"))
    def what(self, row: Operation) -> str:
        return operation_name(row)

    @admin.display(description=_("state"))
    def state_badge(self, row: Operation) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("next attempt"))
    def next_attempt(self, row: Operation) -> str:
        return next_attempt(row)

    @admin.display(description=_("last error"))
    def error_in_words(self, row: Operation) -> str:
        return last_error(row)

    @admin.display(description=_("last error"))
    def error_without_words(self, row: Operation) -> str:
        return last_error_without_words(row)


class WorkflowInline(MirrorInline):
    """Workflows, newest first. Their own pages have the details."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("payload")

    @admin.display(description=_("state"))
    def state_badge(self, row: Any) -> SafeString:
        return state_badge(row)


class CancellationInline(WorkflowInline):
    """Cancellations and previews."""

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
    """Modifications, made or only priced."""

    model = Modification
    fields = ("state_badge", "difference_shown", "settled_at", "origin", "created_at")
    readonly_fields = fields

    @admin.display(description=_("difference"))
    def difference_shown(self, row: Modification) -> str:
        return difference_text(row.difference)


class RenewalInline(WorkflowInline):
    """Renewals."""

    model = Renewal
    fields = ("state_badge", "due_on", "price_shown", "notified_at", "paid_at")
    readonly_fields = fields

    @admin.display(description=_("price"))
    def price_shown(self, row: Renewal) -> str:
        return amount(row.price, row.currency)
