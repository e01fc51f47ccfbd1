"""The forms that ask what is to change about a policy and about its holder."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.fields import AmountField
from django_xcover.admin.leaves import changed, leaves, name_of
from django_xcover.admin.redaction import SHOWN_OF_PERSON
from django_xcover.models import Quote, QuotePackage
from django_xcover.services import modifying
from django_xcover.services.modifying.fields import Path, amount_of, is_amount

NAMES = {
    "first_name": gettext_lazy("First name"),
    "middle_name": gettext_lazy("Middle name"),
    "last_name": gettext_lazy("Last name"),
    "company": gettext_lazy("Company"),
    "email": gettext_lazy("E-mail"),
    "secondary_email": gettext_lazy("Second e-mail"),
    "phone": gettext_lazy("Phone"),
    "address1": gettext_lazy("Address"),
    "address2": gettext_lazy("Address, second line"),
    "city": gettext_lazy("Town or city"),
    "postcode": gettext_lazy("Postcode"),
    "region": gettext_lazy("Region"),
}
PHONE_HELP = gettext_lazy("With + and the country code first.")


class DetailsForm(forms.Form):
    """New details of the policyholder; what is left empty stays as it is."""

    def __init__(self, package: QuotePackage, data: Any = None) -> None:
        super().__init__(data)
        known = package.payload.get("policyholder") or {}
        for name in modifying.changeable_fields(package):
            self.fields[name] = _detail(name, known.get(name))

    def clean(self) -> dict[str, Any]:
        values = {name: value for name, value in self.cleaned_data.items() if value}
        if not values and not self.errors:
            raise forms.ValidationError(_("Fill in what is to change."))
        return values


class PolicyForm(forms.Form):
    """What was sent to quote the policy, value by value, to be changed."""

    def __init__(self, quote: Quote, data: Any = None) -> None:
        super().__init__(data)
        self.quote = quote
        self.paths: dict[str, Path] = {}
        for number, (path, value) in enumerate(leaves(quote.request)):
            name = f"value-{number}"
            self.paths[name] = path
            self.fields[name] = _field(quote.policy_type, path, value)

    def clean(self) -> dict[str, Any]:
        """Return the fields to change, whole, as `update_fields`."""
        told = {self.paths[name]: self.cleaned_data.get(name) for name in self.changed_data}
        if not told and not self.errors:
            raise forms.ValidationError(_("Nothing would change."))
        return {"update_fields": changed(self.quote.request, told)}


def _detail(name: str, known: Any) -> forms.Field:
    maker = forms.EmailField if name.endswith("email") else forms.CharField
    shown = known and name in SHOWN_OF_PERSON
    help_text = _("Now: %(value)s") % {"value": known} if shown else ""
    return maker(
        label=NAMES.get(name, name.replace("_", " ").capitalize()),
        required=False,
        max_length=254,
        help_text=str(PHONE_HELP) if name == "phone" else help_text,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


def _field(policy_type: str, path: Path, value: Any) -> forms.Field:
    facts: dict[str, Any] = {"label": name_of(path), "initial": value}
    if isinstance(value, bool):
        return forms.BooleanField(required=False, **facts)
    if isinstance(value, int):
        return forms.IntegerField(**facts)
    amount = amount_of(value)
    if amount is not None and (isinstance(value, float) or is_amount(policy_type, path)):
        return AmountField(**facts | {"initial": amount})
    moment = _moment(value)
    return _text(facts) if moment is None else _when(moment, facts)


def _text(facts: dict[str, Any]) -> forms.Field:
    return forms.CharField(required=bool(facts["initial"]), max_length=1000, **facts)


def _when(moment: datetime | date, facts: dict[str, Any]) -> forms.Field:
    if isinstance(moment, datetime):
        widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        # To the minute, as the browser's field has it.
        facts["help_text"] = _("In %(zone)s.") % {"zone": timezone.get_current_timezone_name()}
        facts["initial"] = timezone.localtime(moment).replace(second=0, microsecond=0)
        return forms.DateTimeField(widget=widget, **facts)
    calendar = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=calendar, **facts | {"initial": moment})


def _moment(value: Any) -> datetime | date | None:
    """Return a text that is a moment or a day as such, None for any other value."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        found = parse_datetime(value)
        aware = found if found is not None and timezone.is_aware(found) else None
        return aware or parse_date(value)
    except ValueError:
        return None
