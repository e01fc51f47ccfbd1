"""Having XCover write to the customer again."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act
from django_xcover.models import BOOKED, QuotePackage, Status
from django_xcover.services import emails

EVENTS = (
    ("", gettext_lazy("For the booking's present state")),
    (emails.CREATED, gettext_lazy("Booking made")),
    (emails.UPDATED, gettext_lazy("Booking changed")),
)
CANCELLED = (emails.CANCELLED, gettext_lazy("Booking cancelled"))


class EmailForm(forms.Form):
    def __init__(self, package: QuotePackage, data: Any = None) -> None:
        super().__init__(data)
        is_cancelled = package.status == Status.CANCELLED
        self.fields["event"] = forms.ChoiceField(
            label=_("Which e-mail"),
            choices=(*EVENTS, CANCELLED) if is_cancelled else EVENTS,
            required=False,
        )


class SendEmail(Act):
    """Ask XCover for one of its e-mails once more."""

    name = "email"
    label = gettext_lazy("Send e-mail again…")
    button = gettext_lazy("Send it")
    permission = "send_email"
    note = gettext_lazy("XCover writes to the policyholder's address as XCover knows it.")

    def fits(self, row: QuotePackage) -> bool:
        return row.status in BOOKED

    def form(self, row: QuotePackage, data: Any = None) -> forms.Form:
        return EmailForm(row, data)

    def carry_out(self, request: HttpRequest, row: QuotePackage, values: dict[str, Any]) -> Outcome:
        operation = emails.send_again(row, values["event"])
        told = _("XCover is asked to send the e-mail of %(package)s again (%(event)s).")
        facts = {"package": row.package_id, "event": values["event"] or row.status}
        return Outcome(sentence=told % facts, leads_to=operation)
