"""The form fields and forms of the admin's actions."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.common.redaction import HIDDEN, SHOWN_OF_PERSON, redact_text
from django_xcover.client.schemas.requests import product_of
from django_xcover.formats import format_amount
from django_xcover.models import Quote, QuotePackage, Status
from django_xcover.policies import modification
from django_xcover.policies.modification.texts import Path, amount_of, is_amount, typed
from django_xcover.support.next_steps import moment

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
PHONE = re.compile(r"\+?\d[\d\s()/.-]{7,}\d")


class NoteField(forms.CharField):
    """A note that is stored, with e-mail addresses, phone numbers and tokens removed."""

    def __init__(self, **kwargs: Any) -> None:
        text = gettext_lazy("The note is kept. No names, addresses or phone numbers.")
        super().__init__(max_length=200, help_text=text, **kwargs)

    def clean(self, value: Any) -> str:
        """Return the note without addresses and phone numbers."""
        return PHONE.sub(HIDDEN, EMAIL.sub(HIDDEN, redact_text(super().clean(value))))


class ResolveForm(forms.Form):
    note = NoteField(label=gettext_lazy("What was done about it"))


class AmountField(forms.DecimalField):
    """An amount of money, exact."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=19, decimal_places=4, **kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off"}


class ReferenceField(forms.CharField):
    """The shop's own reference of a payment."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", gettext_lazy("Reference"))
        super().__init__(max_length=100, required=False, **kwargs)
        self.widget.attrs |= {"autocomplete": "off"}


class PolicyChoices(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Policies, each with its price and period."""

    def label_from_instance(self, obj: Any) -> str:
        parts = [obj.label, obj.policy_name, format_amount(obj.cost)]
        if obj.policy_end_date:
            parts.append(_("until %(when)s") % {"when": moment(obj.policy_end_date)})
        return " · ".join(part for part in parts if part)


def policies_field(package: QuotePackage) -> PolicyChoices:
    """Return the field to choose from the policies of `package` that are in force.

    A single policy is preselected. With several, none is, so that none is cancelled by accident.
    """
    in_force = Quote.objects.select_related("package").filter(
        package=package, status=Status.CONFIRMED
    )
    rows = in_force.defer("payload", "request", "package__payload").order_by("position")
    alone = list(rows) if len(rows) == 1 else None
    return PolicyChoices(
        rows,
        label=gettext_lazy("Policies"),
        widget=forms.CheckboxSelectMultiple,
        initial=alone,
    )


# Not changeable: another type would be another policy.
FIXED = frozenset({"policy_type", "policy_type_version"})


def leaves(request: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """Yield the path and value of each leaf in `request`."""
    for key, value in request.items():
        if key not in FIXED:
            yield from _below((key,), value)


def name_of(path: Path) -> str:
    """Return the display name of the value at `path`: "Tickets 2: price"."""
    words = [str(part + 1) if isinstance(part, int) else part.replace("_", " ") for part in path]
    text = " ".join(words[:-1]) + ": " + words[-1] if len(words) > 1 else words[0]
    return text[:1].upper() + text[1:]


def changed(request: Mapping[str, Any], values: Mapping[Path, Any]) -> dict[str, Any]:
    """Return the complete fields of `request` that `values` changes, in XCover's types."""
    fields = {str(path[0]): copy.deepcopy(request[str(path[0])]) for path in values}
    for path, value in values.items():
        below: Any = fields
        for part in path[:-1]:
            below = below[part]
        below[path[-1]] = value
    policy_type = str(product_of(request)[0] or "")
    return {key: typed(policy_type, (key,), value) for key, value in fields.items()}


def _below(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _below((*path, key), below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _below((*path, index), below)
    else:
        yield path, value


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
PHONE_HELP = gettext_lazy("Start with + and the country code.")


class DetailsForm(forms.Form):
    """New details of the policyholder; empty fields keep their values."""

    def __init__(self, package: QuotePackage, data: Any = None) -> None:
        super().__init__(data)
        known = package.answer.policyholder.details
        for name in modification.changeable_fields(package):
            self.fields[name] = _detail(name, known.get(name))

    def clean(self) -> dict[str, Any]:
        values = {name: value for name, value in self.cleaned_data.items() if value}
        if not values and not self.errors:
            raise forms.ValidationError(_("Enter at least one change."))
        return values


class PolicyForm(forms.Form):
    """The values that were sent to quote the policy, each in a field."""

    def __init__(self, quote: Quote, data: Any = None) -> None:
        super().__init__(data)
        self.quote = quote
        self.paths: dict[str, Path] = {}
        for number, (path, value) in enumerate(leaves(quote.request)):
            name = f"value-{number}"
            self.paths[name] = path
            self.fields[name] = _field(quote.policy_type, path, value)

    def clean(self) -> dict[str, Any]:
        """Return the complete fields to change, as `update_fields`."""
        values = {self.paths[name]: self.cleaned_data.get(name) for name in self.changed_data}
        if not values and not self.errors:
            raise forms.ValidationError(_("Nothing would change."))
        return {"update_fields": changed(self.quote.request, values)}


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
    options: dict[str, Any] = {"label": name_of(path), "initial": value}
    if isinstance(value, bool):
        return forms.BooleanField(required=False, **options)
    if isinstance(value, int):
        return forms.IntegerField(**options)
    amount = amount_of(value)
    if amount is not None and (isinstance(value, float) or is_amount(policy_type, path)):
        return AmountField(**options | {"initial": amount})
    moment = _moment(value)
    if moment is not None:
        return _when(moment, options)
    return forms.CharField(required=bool(value), max_length=1000, **options)


def _when(moment: datetime | date, options: dict[str, Any]) -> forms.Field:
    if isinstance(moment, datetime):
        widget = forms.DateTimeInput({"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")
        # To the minute, the precision of the browser's field.
        options["help_text"] = _("In %(zone)s.") % {"zone": timezone.get_current_timezone_name()}
        options["initial"] = timezone.localtime(moment).replace(second=0, microsecond=0)
        return forms.DateTimeField(widget=widget, **options)
    calendar = forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(widget=calendar, **options | {"initial": moment})


def _moment(value: Any) -> datetime | date | None:
    """Return the datetime or date in `value`, None for any other value."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        parsed = parse_datetime(value)
        aware = parsed if parsed is not None and timezone.is_aware(parsed) else None
        return aware or parse_date(value)
    except ValueError:
        return None
