"""Cancellations in the admin: what comes back to the customer, by when, and whether it did."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from django_xcover import exceptions
from django_xcover.admin.base import section
from django_xcover.admin.display import (
    WAITING,
    WITHOUT_KEYS,
    amount,
    badge,
    policies_text,
    policy_links,
    typed_amount,
)
from django_xcover.admin.filters import CreatedFilter, PackageAccountFilter, RefundFilter
from django_xcover.admin.forms import AmountField, NoteField, ReferenceField, policies_field
from django_xcover.admin.refunds import corrections, recorded_refund, refund_table
from django_xcover.admin.row_actions import Act, Outcome
from django_xcover.admin.workflows import WorkflowAdmin, with_policies
from django_xcover.formats import format_amount
from django_xcover.models import Cancellation, OperationKind, QuotePackage, Status
from django_xcover.policies import cancellation, refunds
from django_xcover.support.follow_ups import awaits_refund, cancellation_steps, is_expired
from django_xcover.support.next_steps import NextStep, moment
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
        found = cancellation.preview(
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
        told = str(_("%(policies)s: the customer gets %(refund)s back. This cannot be undone."))
        facts = {"policies": policies_text(row.quotes.all()), "refund": _refund(row)}
        if row.confirm_before:
            told += " " + str(_("Until %(when)s this preview can be confirmed."))
            facts["when"] = moment(row.confirm_before)
        return told % facts

    def carry_out(self, request: HttpRequest, row: Cancellation, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        cancellation.request(row)
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
        cancellation.record_refund(
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
        made = cancellation.correct_refund(
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
    return format_amount(row.refund) if row.refund else str(_("an amount XCover has not named"))


@admin.register(Cancellation)
class CancellationAdmin(WorkflowAdmin):
    """Cancellations. The page of a preview is where it is confirmed."""

    kinds = (OperationKind.CANCEL,)
    vendor_id = "cancellation_id"
    acts = (ConfirmCancellation(), RecordRefund(), CorrectRefund())
    list_display = (
        "policies",
        "order",
        "state_badge",
        "refund_shown",
        "refund_recorded",
        "created_at",
    )
    # Customers give the reason in their own words.
    personal = frozenset({"reason", "answer"})
    list_filter = ("state", RefundFilter, "origin", PackageAccountFilter, CreatedFilter)
    fieldsets = (
        section(
            None,
            "state_badge",
            ("order", "package_link"),
            "policy_links",
            ("origin", "reason"),
        ),
        section(
            _("Refund"),
            "lines_shown",
            ("refund_shown", "confirm_before"),
            ("refund_recorded", "refund_reference", "refunded_at"),
            "corrections_shown",
        ),
        section(
            _("For XCover's support"),
            "cancellation_id",
            ("created_at", "confirmed_at", "updated_at"),
            "answer",
            note=WITHOUT_KEYS,
            folded=True,
        ),
    )
    readonly_fields = (
        "state_badge",
        "order",
        "package_link",
        "policy_links",
        "lines_shown",
        "refund_shown",
        "refund_recorded",
        "corrections_shown",
        "answer",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_policies(super().get_queryset(request))

    def steps_of(self, row: Cancellation) -> Iterator[NextStep]:
        return cancellation_steps(row)

    def verdict(self, row: Cancellation, *, people: bool) -> str:
        is_late = row.state == Cancellation.State.PREVIEWED and is_expired(row, timezone.now())
        return str(exceptions.PreviewExpired()) if is_late else cancellation.refusal_of(row)

    @admin.display(description=_("policies"))
    def policies(self, row: Cancellation) -> str:
        return policies_text(row.quotes.all())

    @admin.display(description=_("policies"))
    def policy_links(self, row: Cancellation) -> SafeString | str:
        return policy_links(row.quotes.all())

    @admin.display(description=_("refund per policy"))
    def lines_shown(self, row: Cancellation) -> SafeString | str:
        return refund_table(row)

    @admin.display(description=_("refund"))
    def refund_shown(self, row: Cancellation) -> str:
        return amount(row.total_refund, row.currency)

    @admin.display(description=_("corrections"))
    def corrections_shown(self, row: Cancellation) -> SafeString | str:
        return corrections(row)

    @admin.display(description=_("refund recorded"))
    def refund_recorded(self, row: Cancellation) -> SafeString | str:
        if awaits_refund(row):
            return badge(_("not yet"), WAITING)
        return recorded_refund(row)
