"""What belongs to a package, on its page."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.badges import badge, choice_badge, state_badge, status_badge
from django_xcover.admin.base import MirrorInline
from django_xcover.admin.columns import last_error, next_attempt
from django_xcover.admin.links import link, policy_url
from django_xcover.models import BOOKED, Decision, Operation, Quote
from django_xcover.services.amounts import format_amount
from django_xcover.services.flag_texts import price_differs
from django_xcover.services.next_steps import operation_name
from django_xcover.types import Money


class QuoteInline(MirrorInline):
    """Each quote with the price it was shown at beside the price it has now."""

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
        """Return whether the package may be seen: it says nothing without its quotes."""
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
    """What was shown and chosen, newest first."""

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
    """What must happen at XCover, newest first."""

    model = Operation
    fields = ("what", "state_badge", "attempts", "next_attempt", "error_in_words", "created_at")
    readonly_fields = fields

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
