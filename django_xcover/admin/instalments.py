"""Instalments in the admin: the schedule of each policy, what is paid and what is overdue."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from django_xcover.admin import links
from django_xcover.admin.badges import instalment_badge
from django_xcover.admin.base import MirrorInline, section
from django_xcover.admin.columns import WITHOUT_KEYS
from django_xcover.admin.filters import PaymentFilter, QuoteAccountFilter
from django_xcover.admin.reporting import ReportFailed, ReportPaid
from django_xcover.admin.search import quotes_matching
from django_xcover.admin.texts import amount
from django_xcover.admin.workflows import WorkflowAdmin
from django_xcover.models import Instalment, OperationKind, Quote, QuotePackage
from django_xcover.services.after_sale import instalment_steps
from django_xcover.services.next_steps import NextStep


@admin.register(Instalment)
class InstalmentAdmin(WorkflowAdmin):
    """Instalments; the overdue ones with the oldest first."""

    kinds = (OperationKind.REPORT_INSTALMENT,)
    acts = (ReportPaid(), ReportFailed())
    list_display = (
        "instalment",
        "order",
        "status_badge",
        "amount_shown",
        "period_start_date",
        "failures",
    )
    list_filter = (PaymentFilter, QuoteAccountFilter, "period_start_date")
    list_select_related = ("quote__package",)
    heavy = ("payload", "quote__payload", "quote__request", "quote__package__payload")
    fieldsets = (
        section(None, "status_badge", "policy_link", ("order", "package_link")),
        section(
            _("Payment"),
            "amount_shown",
            ("period_start_date", "period_end_date"),
            ("failures", "attempted_at"),
        ),
        section(
            _("For XCover's support"),
            "instalment_id",
            ("created_at", "updated_at"),
            "answer",
            note=WITHOUT_KEYS,
            folded=True,
        ),
    )
    readonly_fields = (
        "status_badge",
        "policy_link",
        "order",
        "package_link",
        "amount_shown",
        "answer",
    )

    def matching(self, text: str) -> Q:
        return Q(quote__in=Quote.objects.filter(quotes_matching(text)).values("pk"))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        oldest_first = request.GET.get(PaymentFilter.parameter_name) == PaymentFilter.OVERDUE
        return ("period_start_date", "pk") if oldest_first else ("-pk",)

    def package_of(self, row: Instalment) -> QuotePackage:
        return row.quote.package

    def steps_of(self, row: Instalment) -> Iterator[NextStep]:
        return instalment_steps([row])

    @admin.display(description=_("instalment"))
    def instalment(self, row: Instalment) -> str:
        return f"{row.number}. {row.quote.label or row.quote.policy_name}"

    @admin.display(description=_("package"))
    def package_link(self, row: Instalment) -> SafeString:
        return links.package_link(row.quote.package)

    @admin.display(description=_("order"))
    def order(self, row: Instalment) -> SafeString | str:
        return links.order_link(row.quote.package) or "-"

    @admin.display(description=_("policy"))
    def policy_link(self, row: Instalment) -> SafeString:
        return links.link(links.policy_url(row.quote), row.quote.policy_name)

    @admin.display(description=_("status"))
    def status_badge(self, row: Instalment) -> SafeString:
        return instalment_badge(row)

    @admin.display(description=_("amount"))
    def amount_shown(self, row: Instalment) -> str:
        return amount(row.total_amount, row.currency)


class InstalmentInline(MirrorInline):
    """The schedule of a policy on its page."""

    model = Instalment
    fk_name = "quote"
    fields = ("number", "status_badge", "amount_shown", "period_start_date", "failures")
    readonly_fields = fields
    ordering = ("number",)

    @admin.display(description=_("status"))
    def status_badge(self, row: Instalment) -> SafeString:
        return instalment_badge(row)

    @admin.display(description=_("amount"))
    def amount_shown(self, row: Instalment) -> str:
        return amount(row.total_amount, row.currency)
