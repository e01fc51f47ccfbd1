"""The admin of instalments: each policy's schedule, and reporting payments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common import display
from django_xcover.admin.common.base import MirrorInline, section
from django_xcover.admin.common.display import WITHOUT_KEYS, amount, instalment_badge
from django_xcover.admin.common.filters import PaymentFilter, QuoteAccountFilter, quotes_matching
from django_xcover.admin.common.row_actions import Outcome, RowAction
from django_xcover.admin.common.workflows import WorkflowAdmin
from django_xcover.formats import format_amount
from django_xcover.models import Instalment, OperationKind, Quote, QuotePackage
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.policies import instalments
from django_xcover.support.follow_ups import carried_out_by, instalment_steps
from django_xcover.support.next_steps import NextStep

KINDS = (OperationKind.REPORT_INSTALMENT,)


class Report(RowAction):
    """Report to XCover whether the payment succeeded. It doesn't collect money."""

    permission = "report_instalment"
    paid: bool

    def fits(self, row: Instalment) -> bool:
        in_force = row.quote.status in COLLECTED_FOR
        return in_force and row.status != Instalment.Status.PAID

    def note_for(self, row: Instalment) -> str:
        text = _(
            "Instalment %(number)s, %(amount)s. This informs XCover; it doesn't collect any money."
        )
        return text % {"number": row.number, "amount": format_amount(row.amount)}

    def carry_out(self, request: HttpRequest, row: Instalment, values: dict[str, Any]) -> Outcome:
        known = carried_out_by(row, row.quote.package, KINDS)
        operation = instalments.report(row, paid=self.paid)
        text = (
            _("Instalment %(number)s of %(package)s (%(amount)s) is reported as paid.")
            if self.paid
            else _("Instalment %(number)s of %(package)s (%(amount)s) is reported as failed.")
        )
        context = {
            "number": row.number,
            "package": row.quote.package.package_id,
            "amount": format_amount(row.amount),
        }
        return Outcome(sentence=text % context, log=operation != known, leads_to=row)


class ReportPaid(Report):
    name = "paid"
    label = gettext_lazy("Report as paid…")
    button = gettext_lazy("It was paid")
    paid = True


class ReportFailed(Report):
    name = "failed"
    label = gettext_lazy("Report as failed…")
    button = gettext_lazy("The payment failed")
    paid = False


@admin.register(Instalment)
class InstalmentAdmin(WorkflowAdmin):
    """Instalments, newest first; the "overdue" filter lists the oldest first."""

    kinds = (OperationKind.REPORT_INSTALMENT,)
    row_actions = (ReportPaid(), ReportFailed())
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

    def matching(self, text: str, *, people: bool) -> Q:
        quotes = Quote.objects.filter(quotes_matching(text, people=people))
        return Q(quote__in=quotes.values("pk"))

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
        return display.package_link(row.quote.package)

    @admin.display(description=_("order"))
    def order(self, row: Instalment) -> SafeString | str:
        return display.order_link(row.quote.package) or "-"

    @admin.display(description=_("policy"))
    def policy_link(self, row: Instalment) -> SafeString:
        return display.link(display.policy_url(row.quote), row.quote.policy_name)

    @admin.display(description=_("status"))
    def status_badge(self, row: Instalment) -> SafeString:
        return instalment_badge(row)

    @admin.display(description=_("amount"))
    def amount_shown(self, row: Instalment) -> str:
        return amount(row.total_amount, row.currency)


class InstalmentInline(MirrorInline):
    """The instalments on a policy's page."""

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
