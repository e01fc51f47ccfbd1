"""What a shopper fills in: which policies to cancel, details that changed, a value."""

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
from django_xcover.overview.insured_value import InsuredValue
from django_xcover.policies.modification.texts import label_of
from django_xcover.values import phones

UNKNOWN = _("Please choose among the policies of this order.")


def no_card_number(text: str) -> None:
    """Refuse a card number typed into a field of text: none ever belongs here."""
    try:
        validators.refuse(text)
    except CardNumberSent as refusal:
        raise ValidationError(str(refusal)) from None


class CancelForm(forms.Form):
    """Which policies of the booking, and why if the shopper cares to say. Never an amount."""

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
        # Ids of its own: a shop's frame may hold forms of its own, with fields of any name.
        super().__init__(data, auto_id="xcover-cancel-%s")
        self._booking = booking
        self._quote = quote
        choices = [(row.quote_id, row.label) for row in booking]
        self.fields["policies"].choices = choices  # type: ignore[attr-defined]

    @property
    def ticked(self) -> list[str]:
        """Return the quote ids that are ticked: the policy of the page until others are sent."""
        return list(self["policies"].data or []) if self.is_bound else [self._quote.quote_id]

    @property
    def chosen(self) -> list[Quote]:
        """Return the policies to cancel. Valid forms only."""
        wanted = self.cleaned_data["policies"]
        return [row for row in self._booking if row.quote_id in wanted]

    @property
    def complaint(self) -> str:
        """Return the first thing that is wrong, as a sentence, or ""."""
        return next((str(errors[0]) for errors in self.errors.values()), "")


class StatementForm(forms.Form):
    """Who withdraws, and where the receipt goes: what a withdrawal has to state besides the cover.

    Left empty it is what the policy has on record, which a guest's page does not show.
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


# How a browser fills a detail in, and on which keyboard.
KINDS: Mapping[str, tuple[str, str]] = {
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
    """The policyholder's details that XCover lets be changed, as it has them now."""

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
        """Return the number as XCover takes it: + and digits. The one it has may stay."""
        typed: str = self.cleaned_data["phone"]
        if "phone" not in self.changed_data:
            return typed
        number = phones.normalise(typed)
        if typed and not number:
            raise ValidationError(
                _("Enter the number with + and the country code first, like +44 7700 900123.")
            )
        return number


def _detail(name: str) -> forms.CharField:
    autocomplete, kind = KINDS.get(name, ("off", "text"))
    field = forms.EmailField if kind == "email" else forms.CharField
    return field(
        label=label_of(name),
        max_length=150,
        required=name in REQUIRED,
        validators=[no_card_number],
        widget=forms.TextInput(attrs={"autocomplete": autocomplete, "type": kind}),
    )


class ValueField(forms.DecimalField):
    """An amount as the reader writes it. A card's number is called one, not a wrong amount."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "")
        no_card_number(text)
        read = parse_amount(text)
        return super().to_python(value if read is None else read)


class ValueForm(forms.Form):
    """What the insured thing is worth, in the policy's currency."""

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
