"""Reporting to XCover what became of the payment of an instalment."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act
from django_xcover.models import Instalment, OperationKind
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.services import instalments
from django_xcover.services.after_sale import carried_out_by
from django_xcover.services.amounts import format_amount

KINDS = (OperationKind.REPORT_INSTALMENT,)


class Report(Act):
    """Tell XCover how the payment went. It collects no money."""

    permission = "report_instalment"
    paid: bool

    def fits(self, row: Instalment) -> bool:
        in_force = row.quote.status in COLLECTED_FOR
        return in_force and row.status != Instalment.Status.PAID

    def note_for(self, row: Instalment) -> str:
        told = _("Instalment %(number)s, %(amount)s. XCover is told; this collects no money.")
        return told % {"number": row.number, "amount": format_amount(row.amount)}

    def carry_out(self, request: HttpRequest, row: Instalment, values: dict[str, Any]) -> Outcome:
        known = carried_out_by(row, row.quote.package, KINDS)
        operation = instalments.report(row, paid=self.paid)
        told = (
            _("Instalment %(number)s of %(package)s (%(amount)s) is reported as paid.")
            if self.paid
            else _("Instalment %(number)s of %(package)s (%(amount)s) is reported as failed.")
        )
        facts = {
            "number": row.number,
            "package": row.quote.package.package_id,
            "amount": format_amount(row.amount),
        }
        return Outcome(sentence=told % facts, log=operation != known, leads_to=row)


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
