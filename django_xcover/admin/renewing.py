"""Renewing from the admin: ask for the price, record the payment, decline."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act
from django_xcover.admin.fields import AmountField, ReferenceField
from django_xcover.models import Renewal
from django_xcover.services import renewing
from django_xcover.services.amounts import format_amount
from django_xcover.services.next_steps import moment
from django_xcover.types import Money

State = Renewal.State


class QuoteRenewal(Act):
    """Ask XCover for the price of the next period. The customer is told when it is new."""

    name = "quote"
    label = gettext_lazy("Ask XCover for the price…")
    button = gettext_lazy("Ask for the price")
    permission = "renew_policy"
    note = gettext_lazy("The customer is told of the price, once for each price.")
    asks_xcover = True

    def fits(self, row: Renewal) -> bool:
        return row.state in {State.DUE, State.QUOTED}

    def carry_out(self, request: HttpRequest, row: Renewal, values: dict[str, Any]) -> Outcome:
        quoted = renewing.quote(row)
        price = format_amount(quoted.premium) if quoted.premium else "-"
        told = _("The next period of %(package)s costs %(price)s.")
        facts = {"package": row.package.package_id, "price": price}
        return Outcome(sentence=told % facts)


class PaymentForm(forms.Form):
    """What was paid, so that nobody confirms a price that the customer did not pay."""

    amount = AmountField(min_value=Decimal(0))
    reference = ReferenceField(help_text=gettext_lazy("Of the payment in the shop."))


class RecordPayment(Act):
    """Note that the customer has paid, and have the next period confirmed."""

    name = "pay"
    label = gettext_lazy("Record the payment…")
    button = gettext_lazy("Renew the cover")
    permission = "renew_policy"
    is_final = True

    def fits(self, row: Renewal) -> bool:
        return row.state == State.QUOTED

    def note_for(self, row: Renewal) -> str:
        text = _(
            "The next period of %(policies)s costs %(price)s. This renews the cover and moves no "
            "money."
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
        renewing.record_payment(row, reference=values["reference"], amount=paid)
        told = _("%(price)s was recorded for the renewal of %(package)s, which is on its way.")
        facts = {"package": row.package.package_id, "price": format_amount(paid)}
        return Outcome(sentence=told % facts, log=is_first, leads_to=row)


def _policies(row: Renewal) -> str:
    return ", ".join(line.title for line in renewing.lines_of(row)) or row.package.package_id


class DeclineRenewal(Act):
    """Tell XCover that the customer does not want the next period."""

    name = "decline"
    label = gettext_lazy("Decline for the customer…")
    button = gettext_lazy("Decline the renewal")
    permission = "renew_policy"
    is_final = True

    def fits(self, row: Renewal) -> bool:
        return row.state in {State.DUE, State.QUOTED}

    def note_for(self, row: Renewal) -> str:
        text = _("On %(when)s the cover then ends: %(policies)s. This cannot be undone.")
        return text % {"when": moment(row.due_on), "policies": _policies(row)}

    def carry_out(self, request: HttpRequest, row: Renewal, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        renewing.opt_out(row)
        facts = {"package": row.package.package_id}
        told = _("The renewal of %(package)s is being declined.") % facts
        return Outcome(sentence=told, log=is_first, leads_to=row)


class GiveUpRenewal(Act):
    """End a paid renewal that XCover has refused."""

    name = "give-up"
    label = gettext_lazy("Give up the renewal…")
    button = gettext_lazy("Give it up")
    permission = "renew_policy"
    is_final = True
    note = gettext_lazy("Refund what the customer paid first. XCover has refused the renewal.")

    def fits(self, row: Renewal) -> bool:
        return row.state == State.PAID and renewing.may_abandon(row)

    def carry_out(self, request: HttpRequest, row: Renewal, values: dict[str, Any]) -> Outcome:
        renewing.abandon(row, reason="Given up in the admin.")
        told = _("The renewal of %(package)s was given up.")
        return Outcome(sentence=told % {"package": row.package.package_id})
