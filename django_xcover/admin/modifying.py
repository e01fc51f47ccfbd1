"""Changing a booking from the admin: details at once, anything else priced and settled first."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act
from django_xcover.admin.change_forms import DetailsForm, PolicyForm
from django_xcover.admin.fields import ReferenceField
from django_xcover.admin.leaves import leaves
from django_xcover.models import Modification, Policy, QuotePackage, Status
from django_xcover.services import modifying
from django_xcover.services.after_sale import difference_text

STAFF = "staff"
State = Modification.State


class ChangeDetails(Act):
    """Change details of the policyholder, which costs nothing."""

    name = "details"
    label = gettext_lazy("Change policyholder…")
    button = gettext_lazy("Change the details")
    permission = "modify_policy"
    note = gettext_lazy("Leave empty what stays as it is. The price does not change.")

    def fits(self, row: QuotePackage) -> bool:
        return row.status == Status.CONFIRMED

    def form(self, row: QuotePackage, data: Any = None) -> forms.Form:
        return DetailsForm(row, data)

    def carry_out(self, request: HttpRequest, row: QuotePackage, values: dict[str, Any]) -> Outcome:
        found = modifying.change_details(row, values, origin=STAFF)
        told = _("Details of %(package)s are being changed: %(fields)s.")
        facts = {"package": row.package_id, "fields": ", ".join(sorted(values))}
        return Outcome(sentence=told % facts, leads_to=found)


class PriceChange(Act):
    """Ask XCover what a change of what is insured would cost. Nothing is changed by it."""

    name = "price"
    label = gettext_lazy("Change what is insured…")
    button = gettext_lazy("Show the difference")
    permission = "modify_policy"
    note = gettext_lazy(
        "Nothing is changed yet: the next page shows the difference in price and asks again."
    )
    asks_xcover = True

    def fits(self, row: Policy) -> bool:
        return row.status == Status.CONFIRMED and any(leaves(row.request))

    def form(self, row: Policy, data: Any = None) -> forms.Form:
        return PolicyForm(row, data)

    def carry_out(self, request: HttpRequest, row: Policy, values: dict[str, Any]) -> Outcome:
        found = modifying.quote_change(row.package, quote=row, origin=STAFF, **values)
        told = _("A change of %(package)s is priced. %(difference)s Nothing is changed yet.")
        facts = {
            "package": row.package.package_id,
            "difference": difference_text(found.difference),
        }
        return Outcome(sentence=told % facts, leads_to=found)


class SettlementForm(forms.Form):
    reference = ReferenceField(
        help_text=gettext_lazy("Of the extra payment or refund, in the shop.")
    )


class Settle(Act):
    """Confirm a priced change, because its difference is settled. It moves no money."""

    name = "settle"
    label = gettext_lazy("Confirm the change…")
    button = gettext_lazy("The difference is settled: change the cover")
    permission = "modify_policy"
    is_final = True

    def fits(self, row: Modification) -> bool:
        return row.state == State.QUOTED

    def note_for(self, row: Modification) -> str:
        told = difference_text(row.difference)
        return told + " " + _("Settle it first: this changes the cover and moves no money.")

    def form(self, row: Modification, data: Any = None) -> forms.Form:
        return SettlementForm(data)

    def carry_out(self, request: HttpRequest, row: Modification, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        modifying.settle(row, reference=values["reference"])
        told = _("%(change)s was confirmed: XCover is being asked to change the cover.")
        return Outcome(sentence=told % {"change": row}, log=is_first, leads_to=row)


class Abandon(Act):
    """Give a priced change up."""

    name = "abandon"
    label = gettext_lazy("Abandon the change")
    permission = "modify_policy"

    def fits(self, row: Modification) -> bool:
        return row.state == State.QUOTED

    def carry_out(self, request: HttpRequest, row: Modification, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        modifying.abandon(row)
        return Outcome(sentence=_("%(change)s was abandoned.") % {"change": row}, log=is_first)
