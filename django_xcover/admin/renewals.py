"""The admin of renewals: due dates, prices and payments."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import WITHOUT_KEYS, amount
from django_xcover.admin.common.filters import DueFilter, PackageAccountFilter
from django_xcover.admin.common.forms import AmountField, ReferenceField
from django_xcover.admin.common.row_actions import Outcome, RowAction
from django_xcover.admin.common.workflows import WorkflowAdmin
from django_xcover.formats import format_amount
from django_xcover.models import OperationKind, Renewal
from django_xcover.policies import renewal
from django_xcover.support.follow_ups import renewal_steps
from django_xcover.support.next_steps import NextStep, moment
from django_xcover.types import Money

State = Renewal.State


class QuoteRenewal(RowAction):
    """Ask XCover for the price of the next period. The customer is notified of a new price."""

    name = "quote"
    label = gettext_lazy("Ask XCover for the price…")
    button = gettext_lazy("Ask for the price")
    permission = "renew_policy"
    note = gettext_lazy("The customer gets one notification for each new price.")
    asks_xcover = True

    def fits(self, row: Renewal) -> bool:
        return row.state in {State.DUE, State.QUOTED}

    def carry_out(self, request: HttpRequest, row: Renewal, values: dict[str, Any]) -> Outcome:
        quoted = renewal.quote(row)
        price = format_amount(quoted.premium) if quoted.premium else "-"
        text = _("The next period of %(package)s costs %(price)s.")
        context = {"package": row.package.package_id, "price": price}
        return Outcome(sentence=text % context)


class PaymentForm(forms.Form):
    """The amount paid, so that staff don't confirm a price the customer didn't pay."""

    amount = AmountField(min_value=Decimal(0))
    reference = ReferenceField(help_text=gettext_lazy("The payment's reference in the shop."))


class RecordPayment(RowAction):
    """Record the customer's payment and confirm the next period."""

    name = "pay"
    label = gettext_lazy("Record the payment…")
    button = gettext_lazy("Renew the cover")
    permission = "renew_policy"
    is_final = True

    def fits(self, row: Renewal) -> bool:
        return row.state == State.QUOTED

    def note_for(self, row: Renewal) -> str:
        text = _(
            "The next period of %(policies)s costs %(price)s. This renews the cover but doesn't "
            "move any money."
        )
        price = format_amount(row.premium) if row.premium else "-"
        return text % {"policies": _policies(row), "price": price}

    def form(self, row: Renewal, data: Any = None) -> forms.Form:
        form = PaymentForm(data)
        form.fields["amount"].label = _("Paid (%(currency)s)") % {"currency": row.currency}
        return form

    def carry_out(self, request: HttpRequest, row: Renewal, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        paid = Money(values["amount"], row.currency)
        renewal.record_payment(row, reference=values["reference"], amount=paid)
        text = _(
            "Recorded %(price)s for the renewal of %(package)s. A worker is sending it to XCover."
        )
        context = {"package": row.package.package_id, "price": format_amount(paid)}
        return Outcome(sentence=text % context, log=is_first, leads_to=row)


def _policies(row: Renewal) -> str:
    return ", ".join(line.title for line in renewal.lines_of(row)) or row.package.package_id


class DeclineRenewal(RowAction):
    """Decline the next period at XCover."""

    name = "decline"
    label = gettext_lazy("Decline for the customer…")
    button = gettext_lazy("Decline the renewal")
    permission = "renew_policy"
    is_final = True

    def fits(self, row: Renewal) -> bool:
        return row.state in {State.DUE, State.QUOTED}

    def note_for(self, row: Renewal) -> str:
        text = _("The cover then ends on %(when)s: %(policies)s. You can't undo this.")
        return text % {"when": moment(row.due_on), "policies": _policies(row)}

    def carry_out(self, request: HttpRequest, row: Renewal, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        renewal.opt_out(row)
        context = {"package": row.package.package_id}
        text = _("The renewal of %(package)s is being declined.") % context
        return Outcome(sentence=text, log=is_first, leads_to=row)


class GiveUpRenewal(RowAction):
    """Give up a paid renewal that XCover has refused."""

    name = "give-up"
    label = gettext_lazy("Give up the renewal…")
    button = gettext_lazy("Give it up")
    permission = "renew_policy"
    is_final = True
    note = gettext_lazy("XCover has refused the renewal. Refund the customer's payment first.")

    def fits(self, row: Renewal) -> bool:
        return row.state == State.PAID and renewal.may_abandon(row)

    def carry_out(self, request: HttpRequest, row: Renewal, values: dict[str, Any]) -> Outcome:
        renewal.abandon(row, reason="Given up in the admin.")
        text = _("The renewal of %(package)s was given up.")
        return Outcome(sentence=text % {"package": row.package.package_id})


@admin.register(Renewal)
class RenewalAdmin(WorkflowAdmin):
    """Renewals. The "due" filter finds the next ones."""

    kinds = (OperationKind.RENEW, OperationKind.RENEWAL_OPT_OUT)
    vendor_id = "renewal_id"
    row_actions = (RecordPayment(), DeclineRenewal(), QuoteRenewal(), GiveUpRenewal())
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
        lines = renewal.lines_of(row)
        shown = ((line.title, line.name, line.price_formatted or "-") for line in lines)
        return format_html_join("", "{} ({}): {}<br>", shown) or "-"

    @admin.display(description=_("price"))
    def price_shown(self, row: Renewal) -> str:
        return amount(row.price, row.currency)
