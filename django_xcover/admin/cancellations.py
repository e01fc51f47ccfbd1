"""The admin of cancellations: preview, confirmation, and the refund to the customer."""

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
from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import (
    WAITING,
    WITHOUT_KEYS,
    amount,
    badge,
    policies_text,
    policy_links,
)
from django_xcover.admin.common.filters import CreatedFilter, PackageAccountFilter, RefundFilter
from django_xcover.admin.common.forms import AmountField, NoteField, ReferenceField, policies_field
from django_xcover.admin.common.row_actions import Outcome, RowAction
from django_xcover.admin.common.workflows import WorkflowAdmin, with_policies
from django_xcover.admin.refunds import corrections, recorded_refund, refund_table
from django_xcover.formats import format_amount, plain_amount
from django_xcover.models import Cancellation, OperationKind, QuotePackage, Status
from django_xcover.policies import cancellation, refunds
from django_xcover.support.follow_ups import awaits_refund, cancellation_steps, is_expired
from django_xcover.support.next_steps import NextStep, moment
from django_xcover.types import Money


class CancellationForm(forms.Form):
    """The policies and the reason, which must have no names: XCover and the log get it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=200,
        help_text=gettext_lazy("Sent to XCover. No names, addresses or phone numbers."),
    )

    def __init__(self, package: QuotePackage, data: Any = None) -> None:
        super().__init__(data)
        self.fields["policies"] = policies_field(package)
        self.order_fields(("policies", "reason"))


class PreviewCancellation(RowAction):
    """Ask XCover for the refund of a cancellation. Nothing is cancelled yet."""

    name = "cancel"
    label = gettext_lazy("Cancel cover…")
    button = gettext_lazy("Show the refund")
    permission = "cancel_policy"
    note = gettext_lazy(
        "This doesn't cancel anything yet. The next page shows the refund and asks for "
        "confirmation."
    )
    asks_xcover = True

    def fits(self, row: QuotePackage) -> bool:
        return row.status == Status.CONFIRMED

    def form(self, row: QuotePackage, data: Any = None) -> forms.Form:
        return CancellationForm(row, data)

    def carry_out(self, request: HttpRequest, row: QuotePackage, values: dict[str, Any]) -> Outcome:
        previewed = cancellation.preview(
            row,
            quotes=list(values["policies"]),
            origin=Cancellation.Origin.STAFF,
            reason=values["reason"],
        )
        text = _("Cancelling %(package)s would refund %(refund)s. Nothing is cancelled yet.")
        context = {"package": row.package_id, "refund": _refund(previewed)}
        return Outcome(sentence=text % context, leads_to=previewed)


class ConfirmCancellation(RowAction):
    """Confirm a previewed cancellation."""

    name = "confirm"
    label = gettext_lazy("Cancel the cover now")
    permission = "cancel_policy"
    is_main = True
    is_final = True

    def fits(self, row: Cancellation) -> bool:
        return row.state == Cancellation.State.PREVIEWED and not is_expired(row, timezone.now())

    def note_for(self, row: Cancellation) -> str:
        text = str(_("%(policies)s: the customer gets %(refund)s back. You can't undo this."))
        context = {"policies": policies_text(row.quotes.all()), "refund": _refund(row)}
        if row.confirm_before:
            text += " " + str(_("You can confirm this preview until %(when)s."))
            context["when"] = moment(row.confirm_before)
        return text % context

    def carry_out(self, request: HttpRequest, row: Cancellation, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        cancellation.request(row)
        text = _("Confirmed %(cancellation)s. A worker is sending it to XCover.")
        return Outcome(sentence=text % {"cancellation": row}, log=is_first, leads_to=row)


class RefundForm(forms.Form):
    """The refunded amount and its reference in the shop.

    An amount that differs from XCover's needs a second confirmation.
    """

    amount = AmountField(min_value=Decimal(0))
    differs = forms.BooleanField(required=False)
    reference = ReferenceField(
        help_text=gettext_lazy("The refund's reference in the shop or at its payment provider.")
    )

    def __init__(self, row: Cancellation, data: Any = None) -> None:
        super().__init__(data, initial={"amount": plain_amount(row.refund) if row.refund else None})
        self.row = row
        self.fields["amount"].label = _("Refunded (%(currency)s)") % {"currency": row.currency}
        if row.refund is None:
            del self.fields["differs"]
        else:
            text = _("The amount differs from XCover's %(named)s")
            self.fields["differs"].label = text % {"named": format_amount(row.refund)}

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        refund = Money(values["amount"], self.row.currency) if "amount" in values else None
        if refunds.differs(self.row, refund) and not values["differs"]:
            text = _(
                "XCover's refund is %(named)s. Correct the amount, or confirm that you refunded a "
                "different one."
            )
            self.add_error("differs", text % {"named": _refund(self.row)})
        return values


class RecordRefund(RowAction):
    """Record that the customer was refunded. It doesn't move money."""

    name = "refund"
    label = gettext_lazy("Record the refund…")
    button = gettext_lazy("Record the refund")
    permission = "record_refund"
    note = gettext_lazy("Records a refund that you've already made. It doesn't move any money.")

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
        text = _("A refund of %(refund)s was recorded for %(cancellation)s.")
        if refunds.differs(row, refund):
            text = _(
                "A refund of %(refund)s was recorded for %(cancellation)s, and it differs from "
                "XCover's %(named)s."
            )
        context = {"refund": format_amount(refund), "cancellation": row, "named": _refund(row)}
        return Outcome(sentence=text % context, log=is_first)


class CorrectionForm(RefundForm):
    """The correct refund, and what was wrong with the record."""

    reason = NoteField(label=gettext_lazy("What was wrong"))

    def __init__(self, row: Cancellation, data: Any = None) -> None:
        super().__init__(row, data)
        recorded = refunds.recorded(row)
        self.initial["amount"] = plain_amount(recorded) if recorded else None
        self.initial["reference"] = row.refund_reference


class CorrectRefund(RowAction):
    """Correct a recorded refund. The previous entry is kept."""

    name = "correct-refund"
    label = gettext_lazy("Correct the recorded refund…")
    button = gettext_lazy("Correct the record")
    permission = "record_refund"
    note = gettext_lazy(
        "Corrects the record only; it doesn't move any money. The previous entry, the reason and "
        "your name are kept."
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
        text = _(
            "The refund recorded for %(cancellation)s was corrected from %(before)s to %(after)s: "
            "%(reason)s"
        )
        context = {
            "cancellation": row,
            "before": format_amount(Money(made.amount_before, row.currency)),
            "after": format_amount(Money(made.amount, row.currency)),
            "reason": made.reason,
        }
        return Outcome(sentence=text % context)


def _may_exceed(request: HttpRequest) -> bool:
    return request.user.has_perm("xcover.exceed_refund")


def _refund(row: Cancellation) -> str:
    return (
        format_amount(row.refund) if row.refund else str(_("an amount that XCover hasn't reported"))
    )


@admin.register(Cancellation)
class CancellationAdmin(WorkflowAdmin):
    """Cancellations. Staff confirm a preview on its page."""

    kinds = (OperationKind.CANCEL,)
    vendor_id = "cancellation_id"
    row_actions = (ConfirmCancellation(), RecordRefund(), CorrectRefund())
    list_display = (
        "policies",
        "order",
        "state_badge",
        "refund_shown",
        "refund_recorded",
        "created_at",
    )
    # The reason can be in the customer's own words.
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
