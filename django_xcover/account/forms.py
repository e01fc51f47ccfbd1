"""The forms for shoppers: cancelling policies, changing details, changing the insured value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from babel.numbers import get_currency_precision
from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from django_xcover import validators
from django_xcover.exceptions import CardNumberSent
from django_xcover.formats import parse_amount
from django_xcover.models import Quote
from django_xcover.overview.modifications import InsuredValue
from django_xcover.policies.modification.texts import label_of
from django_xcover.values import normalise_phone

UNKNOWN = _("Please choose from the policies of this order.")


def no_card_number(text: str) -> None:
    """Raise ValidationError if `text` contains a card number, which no text field needs."""
    try:
        validators.refuse(text)
    except CardNumberSent as refusal:
        raise ValidationError(str(refusal)) from None


class CancelForm(forms.Form):
    """Which policies of the booking to cancel, and an optional reason. It takes no amounts."""

    policies = forms.MultipleChoiceField(
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": _("Please choose what to cancel."),
            "invalid_choice": UNKNOWN,
            "invalid_list": UNKNOWN,
        },
    )
    reason = forms.CharField(
        label=_("Reason (optional)"),
        max_length=200,
        required=False,
        validators=[no_card_number],
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, booking: Sequence[Quote], quote: Quote
    ) -> None:
        # Prefixed ids: the shop's base template may contain other forms with any field names.
        super().__init__(data, auto_id="xcover-cancel-%s")
        self._booking = booking
        self._quote = quote
        choices = [(row.quote_id, row.label) for row in booking]
        self.fields["policies"].choices = choices  # type: ignore[attr-defined]

    @property
    def ticked(self) -> list[str]:
        """Return the ticked quote ids; an unbound form ticks the page's policy."""
        return list(self["policies"].data or []) if self.is_bound else [self._quote.quote_id]

    @property
    def chosen(self) -> list[Quote]:
        """Return the policies to cancel. Requires a valid form."""
        wanted = self.cleaned_data["policies"]
        return [row for row in self._booking if row.quote_id in wanted]

    @property
    def first_error(self) -> str:
        """Return the first error message, or ""."""
        return next((str(errors[0]) for errors in self.errors.values()), "")


class StatementForm(forms.Form):
    """The name and e-mail address that a withdrawal statement needs besides the cover.

    Empty fields use the policy's details, which a guest's page doesn't show.
    """

    name = forms.CharField(
        label=_("Your name"),
        max_length=200,
        required=False,
        validators=[no_card_number],
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    email = forms.EmailField(
        label=_("E-mail for the receipt"),
        required=False,
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
    )

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, known: Mapping[str, str], shows: bool = True
    ) -> None:
        names = filter(None, (known.get("first_name"), known.get("last_name")))
        initial = {"name": " ".join(names), "email": known.get("email")} if shows else {}
        super().__init__(data, auto_id="xcover-statement-%s", initial=initial)
        self.fields["email"].required = not known.get("email")
        self.shows_record = shows


# The `autocomplete` and `type` attributes of each detail's input.
INPUT_ATTRIBUTES: Mapping[str, tuple[str, str]] = {
    "first_name": ("given-name", "text"),
    "middle_name": ("additional-name", "text"),
    "last_name": ("family-name", "text"),
    "company": ("organization", "text"),
    "email": ("email", "email"),
    "secondary_email": ("off", "email"),
    "phone": ("tel", "tel"),
    "address1": ("address-line1", "text"),
    "address2": ("address-line2", "text"),
    "city": ("address-level2", "text"),
    "postcode": ("postal-code", "text"),
    "region": ("address-level1", "text"),
    "country": ("country", "text"),
    "birth_date": ("bday", "text"),
}
REQUIRED = frozenset({"first_name", "last_name", "email"})


class DetailsForm(forms.Form):
    """The policyholder's changeable details, filled in with XCover's current values."""

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        names: Sequence[str],
        known: Mapping[str, Any],
    ) -> None:
        super().__init__(
            data, auto_id="xcover-%s", initial={name: known.get(name) or "" for name in names}
        )
        for name in names:
            self.fields[name] = _detail(name)

    def clean_phone(self) -> str:
        """Return the number as + and digits, as XCover requires. An unchanged number is kept."""
        typed: str = self.cleaned_data["phone"]
        if "phone" not in self.changed_data:
            return typed
        number = normalise_phone(typed)
        if typed and not number:
            raise ValidationError(
                _("Start the number with + and the country code, for example +44 7700 900123.")
            )
        return number


def _detail(name: str) -> forms.CharField:
    autocomplete, kind = INPUT_ATTRIBUTES.get(name, ("off", "text"))
    field = forms.EmailField if kind == "email" else forms.CharField
    return field(
        label=label_of(name),
        max_length=150,
        required=name in REQUIRED,
        validators=[no_card_number],
        widget=forms.TextInput(attrs={"autocomplete": autocomplete, "type": kind}),
    )


class ValueField(forms.DecimalField):
    """An amount in the reader's notation. A card number gets its own error message."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "")
        no_card_number(text)
        amount = parse_amount(text)
        return super().to_python(value if amount is None else amount)


class ValueForm(forms.Form):
    """The value of the insured item, in the policy's currency."""

    def __init__(self, data: Mapping[str, Any] | None = None, *, value: InsuredValue) -> None:
        super().__init__(data, auto_id="xcover-%s", initial={"amount": value.amount})
        places = get_currency_precision(value.currency)
        self.fields["amount"] = ValueField(
            label=_("Insured value"),
            min_value=Decimal(1).scaleb(-places),
            max_digits=19,
            decimal_places=places,
            localize=True,
            widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        )
