"""Cancelling from the admin: preview, confirm, record the refund."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act
from django_xcover.admin.fields import AmountField, ReferenceField, policies_field
from django_xcover.admin.resolving import NoteField
from django_xcover.admin.texts import policies_text, typed_amount
from django_xcover.models import Cancellation, QuotePackage, Status
from django_xcover.services import cancelling, refunds
from django_xcover.services.after_sale import awaits_refund, is_expired
from django_xcover.services.amounts import format_amount
from django_xcover.services.next_steps import moment
from django_xcover.types import Money


class CancellationForm(forms.Form):
    """Which policies, and why. XCover and the log see the reason, so it names nobody."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("XCover is told. No names, addresses or phone numbers."),
    )

    def __init__(self, package: QuotePackage, data: Any = None) -> None:
        super().__init__(data)
        self.fields["policies"] = policies_field(package)
        self.order_fields(("policies", "reason"))


class PreviewCancellation(Act):
    """Ask XCover what cancelling means. Nothing is cancelled by it."""

    name = "cancel"
    label = gettext_lazy("Cancel cover…")
    button = gettext_lazy("Show the refund")
    permission = "cancel_policy"
    note = gettext_lazy("Nothing is cancelled yet: the next page shows the refund and asks again.")
    asks_xcover = True

    def fits(self, row: QuotePackage) -> bool:
        return row.status == Status.CONFIRMED

    def form(self, row: QuotePackage, data: Any = None) -> forms.Form:
        return CancellationForm(row, data)

    def carry_out(self, request: HttpRequest, row: QuotePackage, values: dict[str, Any]) -> Outcome:
        found = cancelling.preview(
            row,
            quotes=list(values["policies"]),
            origin=Cancellation.Origin.STAFF,
            reason=values["reason"],
        )
        told = _("Cancelling would refund %(refund)s. Nothing of %(package)s is cancelled yet.")
        facts = {"package": row.package_id, "refund": _refund(found)}
        return Outcome(sentence=told % facts, leads_to=found)


class ConfirmCancellation(Act):
    """Carry out what a preview has shown."""

    name = "confirm"
    label = gettext_lazy("Cancel the cover now")
    permission = "cancel_policy"
    is_main = True
    is_final = True

    def fits(self, row: Cancellation) -> bool:
        return row.state == Cancellation.State.PREVIEWED and not is_expired(row, timezone.now())

    def note_for(self, row: Cancellation) -> str:
        told = _("%(policies)s: the customer gets %(refund)s back. This cannot be undone.")
        facts = {"policies": policies_text(row.quotes.all()), "refund": _refund(row)}
        if row.confirm_before:
            told += " " + _("Until %(when)s this preview can be confirmed.")
            facts["when"] = moment(row.confirm_before)
        return told % facts

    def carry_out(self, request: HttpRequest, row: Cancellation, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        cancelling.request(row)
        told = _("%(cancellation)s was confirmed: XCover is being asked to cancel.")
        return Outcome(sentence=told % {"cancellation": row}, log=is_first, leads_to=row)


class RefundForm(forms.Form):
    """How much went back to the customer, and where to find it in the shop.

    A second word is asked for where that is not what XCover named.
    """

    amount = AmountField(min_value=Decimal(0))
    differs = forms.BooleanField(required=False)
    reference = ReferenceField(
        help_text=gettext_lazy("Of the refund in the shop or at its payment provider.")
    )

    def __init__(self, row: Cancellation, data: Any = None) -> None:
        super().__init__(data, initial={"amount": typed_amount(row.refund) if row.refund else None})
        self.row = row
        self.fields["amount"].label = _("Refunded (%(currency)s)") % {"currency": row.currency}
        if row.refund is None:
            del self.fields["differs"]
        else:
            told = _("The amount differs from XCover's %(named)s")
            self.fields["differs"].label = told % {"named": format_amount(row.refund)}

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        refund = Money(values["amount"], self.row.currency) if "amount" in values else None
        if refunds.differs(self.row, refund) and not values["differs"]:
            told = _(
                "XCover says %(named)s. Mend the amount, or confirm that another one was refunded."
            )
            self.add_error("differs", told % {"named": _refund(self.row)})
        return values


class RecordRefund(Act):
    """Note that the customer has the money back. It moves no money."""

    name = "refund"
    label = gettext_lazy("Record the refund…")
    button = gettext_lazy("Record the refund")
    permission = "record_refund"
    note = gettext_lazy("This notes that the refund was made. It moves no money itself.")

    def fits(self, row: Cancellation) -> bool:
        return awaits_refund(row)

    def form(self, row: Cancellation, data: Any = None) -> forms.Form:
        return RefundForm(row, data)

    def carry_out(self, request: HttpRequest, row: Cancellation, values: dict[str, Any]) -> Outcome:
        refund = Money(values["amount"], row.currency)
        is_first = self.fits(row)
        cancelling.record_refund(
            row, refund, reference=values["reference"], may_exceed=_may_exceed(request)
        )
        told = _("A refund of %(refund)s was recorded for %(cancellation)s.")
        if refunds.differs(row, refund):
            told = _(
                "A refund of %(refund)s was recorded for %(cancellation)s, and it differs from "
                "XCover's %(named)s."
            )
        facts = {"refund": format_amount(refund), "cancellation": row, "named": _refund(row)}
        return Outcome(sentence=told % facts, log=is_first)


class CorrectionForm(RefundForm):
    """What was refunded in truth, and what was wrong with the record."""

    reason = NoteField(label=gettext_lazy("What was wrong"))

    def __init__(self, row: Cancellation, data: Any = None) -> None:
        super().__init__(row, data)
        recorded = refunds.recorded(row)
        self.initial["amount"] = typed_amount(recorded) if recorded else None
        self.initial["reference"] = row.refund_reference


class CorrectRefund(Act):
    """Put right what was recorded by mistake. The mistake stays on record."""

    name = "correct-refund"
    label = gettext_lazy("Correct the recorded refund…")
    button = gettext_lazy("Correct the record")
    permission = "record_refund"
    note = gettext_lazy(
        "This corrects the record. It moves no money itself. What was recorded before, the reason "
        "and your name stay on record."
    )

    def fits(self, row: Cancellation) -> bool:
        return row.refunded is not None

    def form(self, row: Cancellation, data: Any = None) -> forms.Form:
        return CorrectionForm(row, data)

    def carry_out(self, request: HttpRequest, row: Cancellation, values: dict[str, Any]) -> Outcome:
        made = cancelling.correct_refund(
            row,
            Money(values["amount"], row.currency),
            reference=values["reference"],
            reason=values["reason"],
            by=str(request.user.pk),
            may_exceed=_may_exceed(request),
        )
        told = _(
            "The refund recorded for %(cancellation)s was corrected from %(before)s to %(after)s: "
            "%(reason)s"
        )
        facts = {
            "cancellation": row,
            "before": format_amount(Money(made.amount_before, row.currency)),
            "after": format_amount(Money(made.amount, row.currency)),
            "reason": made.reason,
        }
        return Outcome(sentence=told % facts)


def _may_exceed(request: HttpRequest) -> bool:
    return request.user.has_perm("xcover.exceed_refund")


def _refund(row: Cancellation) -> str:
    return format_amount(row.refund) if row.refund else _("an amount XCover has not named")
