"""The admin of policies, which are booked quotes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import (
    WITHOUT_KEYS,
    OfPackage,
    choice_badge,
    documents_of,
    folded_json,
    status_badge,
)
from django_xcover.admin.common.filters import (
    PackageAccountFilter,
    PolicyStatusFilter,
    quotes_matching,
)
from django_xcover.admin.common.row_actions import RowActionsAdmin
from django_xcover.admin.instalments import InstalmentInline
from django_xcover.admin.modifications import PriceChange
from django_xcover.formats import format_amount
from django_xcover.models import Policy
from django_xcover.types import Money


@admin.register(Policy)
class PolicyAdmin(OfPackage, RowActionsAdmin):
    """Policies with their price, period and policyholder."""

    list_display = (
        "policy_name",
        "label",
        "order",
        "status_badge",
        "price_shown",
        "policy_start_date",
        "policy_end_date",
        "email",
    )
    list_filter = (PolicyStatusFilter, PackageAccountFilter, "policy_start_date", "policy_end_date")
    list_select_related = ("package",)
    inlines = (InstalmentInline,)
    row_actions = (PriceChange(),)
    heavy = ("payload", "request", "package__payload")
    personal = frozenset({"email", "answer"})
    fieldsets = (
        section(
            None,
            "policy_name",
            "label",
            "status_badge",
            "order",
            "package_link",
            "email",
            "quote_id",
        ),
        section(
            _("Price and period"),
            "choice_badge",
            ("chosen_shown", "price_shown"),
            ("policy_start_date", "policy_end_date"),
        ),
        section(_("XCover's last answer"), "policy_type", "answer", note=WITHOUT_KEYS),
    )
    readonly_fields = (
        "status_badge",
        "order",
        "package_link",
        "email",
        "choice_badge",
        "chosen_shown",
        "price_shown",
        "answer",
    )

    def page_context(self, request: HttpRequest, row: Policy) -> dict[str, Any]:
        return super().page_context(request, row) | {"documents": documents_of(request, row)}

    def matching(self, text: str, *, people: bool) -> Q:
        return quotes_matching(text, people=people)

    @admin.display(description=_("status"))
    def status_badge(self, row: Policy) -> SafeString:
        return status_badge(row)

    @admin.display(description=_("choice"))
    def choice_badge(self, row: Policy) -> SafeString | str:
        return choice_badge(row) or "-"

    @admin.display(description=_("price"))
    def price_shown(self, row: Policy) -> str:
        return format_amount(row.cost)

    @admin.display(description=_("agreed price"))
    def chosen_shown(self, row: Policy) -> str:
        if row.chosen_price is None:
            return "-"
        return format_amount(Money(row.chosen_price, row.package.currency))

    @admin.display(description=_("policyholder's e-mail"))
    def email(self, row: Policy) -> str:
        return row.package.policyholder_email or "-"

    @admin.display(description=_("answer"))
    def answer(self, row: Policy) -> SafeString:
        return folded_json(row.payload)
