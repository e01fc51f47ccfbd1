"""Renewals in the admin: what is due, what it costs, whether it was paid."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.base import section
from django_xcover.admin.columns import WITHOUT_KEYS
from django_xcover.admin.filters import DueFilter, PackageAccountFilter
from django_xcover.admin.renewing import (
    DeclineRenewal,
    GiveUpRenewal,
    QuoteRenewal,
    RecordPayment,
)
from django_xcover.admin.texts import amount
from django_xcover.admin.workflows import WorkflowAdmin
from django_xcover.models import OperationKind, Renewal
from django_xcover.services import renewing
from django_xcover.services.after_sale import renewal_steps
from django_xcover.services.next_steps import NextStep


@admin.register(Renewal)
class RenewalAdmin(WorkflowAdmin):
    """Renewals, those due soonest to be found by filter."""

    kinds = (OperationKind.RENEW, OperationKind.RENEWAL_OPT_OUT)
    vendor_id = "renewal_id"
    acts = (RecordPayment(), DeclineRenewal(), QuoteRenewal(), GiveUpRenewal())
    list_display = (
        "due_on",
        "order",
        "state_badge",
        "price_shown",
        "notified_at",
        "paid_at",
    )
    list_filter = ("state", DueFilter, PackageAccountFilter)
    fieldsets = (
        section(None, "state_badge", ("order", "package_link"), ("due_on", "notified_at")),
        section(
            _("Next period"),
            "policies_shown",
            "price_shown",
            ("starts_at", "ends_at"),
            ("paid_at", "payment_reference", "confirmed_at"),
        ),
        section(
            _("For XCover's support"),
            "renewal_id",
            ("created_at", "updated_at"),
            "answer",
            note=WITHOUT_KEYS,
            folded=True,
        ),
    )
    readonly_fields = (
        "state_badge",
        "order",
        "package_link",
        "policies_shown",
        "price_shown",
        "answer",
    )

    def steps_of(self, row: Renewal) -> Iterator[NextStep]:
        return renewal_steps(row)

    @admin.display(description=_("policies"))
    def policies_shown(self, row: Renewal) -> SafeString | str:
        lines = renewing.lines_of(row)
        shown = ((line.title, line.name, line.price_formatted or "-") for line in lines)
        return format_html_join("", "{} ({}): {}<br>", shown) or "-"

    @admin.display(description=_("price"))
    def price_shown(self, row: Renewal) -> str:
        return amount(row.price, row.currency)
