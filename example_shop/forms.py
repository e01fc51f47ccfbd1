"""The shop's forms. None of them has a price."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.core.validators import RegexValidator
from django.utils.translation import gettext_lazy as _

from django_xcover.types import normalise_phone, normalise_postcode
from example_shop.cart import MOST_OF_ONE
from example_shop.markets import Market
from example_shop.models import Order

# The format after `normalise_postcode`.
POSTCODES = {
    "GB": (r"[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}", _("Enter a postcode such as SW1A 1AA.")),
    "DE": (r"[0-9]{5}", _("Enter a postcode such as 10115.")),
    "JP": (r"[0-9]{3}-[0-9]{4}", _("Enter a postcode such as 100-0001.")),
}


SESSION_KEY = "details"
LONGEST_DETAIL = 300


class QuantityForm(forms.Form):
    """The quantity of one product; 0 removes it from the cart."""

    quantity = forms.IntegerField(min_value=0, max_value=MOST_OF_ONE)


class CheckoutForm(forms.ModelForm):  # type: ignore[type-arg]
    """The customer's details and the payment method. The country is the market's."""

    class Meta:
        model = Order
        fields = (
            "first_name", "last_name", "email", "phone", "address", "postcode", "city", "payment",
        )  # fmt: skip
        widgets = {"payment": forms.RadioSelect}  # noqa: RUF012 (Django's own idiom)

    def __init__(self, *args: Any, market: Market, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.market = market
        # Longer than its column, because only the normalized number is stored.
        self.fields["phone"] = forms.CharField(
            label=_("Phone (optional)"), max_length=40, required=False
        )
        self.fields["payment"] = forms.ChoiceField(
            label=_("How would you like to pay?"),
            # XCover charges a card: an order on invoice has none.
            choices=[
                (value, label)
                for value, label in Order.Payment.choices
                if value == Order.Payment.CARD or not settings.SHOP_DUAL_PAYMENT
            ],
            initial=Order.Payment.CARD,
            widget=forms.RadioSelect,
        )
        self.fields["phone"].widget.input_type = "tel"
        for name, hint in AUTOCOMPLETE.items():
            self.fields[name].widget.attrs["autocomplete"] = hint

    def clean_phone(self) -> str:
        """Return the number with its country code, as insurers require; "" for none."""
        typed = self.cleaned_data["phone"]
        number = normalise_phone(typed, self.market.country)
        if typed.strip() and not number:
            raise forms.ValidationError(
                _("Enter a number such as %(example)s 20 7946 0000."),
                params={"example": self.market.calling_code},
            )
        return number

    def clean_postcode(self) -> str:
        """Return the postcode in the format of the market's country."""
        pattern, message = POSTCODES[self.market.country]
        postcode = normalise_postcode(self.cleaned_data["postcode"], self.market.country)
        if not re.fullmatch(pattern, postcode):
            raise forms.ValidationError(message)
        return postcode


AUTOCOMPLETE = {
    "first_name": "given-name",
    "last_name": "family-name",
    "email": "email",
    "phone": "tel",
    "address": "address-line1",
    "postcode": "postal-code",
    "city": "address-level2",
}


class CardForm(forms.Form):
    """Card details, with the checks a shop can do."""

    name = forms.CharField(label=_("Name on card"), max_length=80)
    number = forms.CharField(label=_("Card number"), max_length=23)
    expiry = forms.CharField(
        label=_("Expires"),
        validators=[RegexValidator(r"^(0[1-9]|1[0-2]) ?/ ?\d{2}$", _("Enter it as MM/YY."))],
    )
    code = forms.CharField(
        label=_("Security code"),
        validators=[RegexValidator(r"^\d{3,4}$", _("Enter the 3 or 4 digits on the card."))],
    )

    def clean_number(self) -> str:
        """Return the digits; the last one is a check digit (ISO/IEC 7812, Luhn)."""
        digits = re.sub(r"[\s-]", "", self.cleaned_data["number"])
        if not re.fullmatch(r"\d{13,19}", digits) or not _luhn(digits):
            raise forms.ValidationError(
                _("This isn't a valid card number. Please check the digits.")
            )
        return digits


def _luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(sum(divmod(value, 10)) for value in doubled) % 10 == 0


def keep_details(session: SessionBase, typed: Mapping[str, str]) -> None:
    """Store the typed checkout details while the country or language changes."""
    names = CheckoutForm.Meta.fields
    details = {name: typed[name][:LONGEST_DETAIL] for name in names if name in typed}
    if details:
        session[SESSION_KEY] = details


def forget_details(session: SessionBase) -> None:
    """Delete the details once they are part of an order."""
    session.pop(SESSION_KEY, None)


def initial_details(user: AbstractBaseUser | AnonymousUser, session: SessionBase) -> dict[str, str]:
    """Return the details the shopper typed before, else those of their account."""
    names = ("first_name", "last_name", "email") if user.is_authenticated else ()
    typed: dict[str, str] = session.get(SESSION_KEY, {})
    return {name: getattr(user, name, "") for name in names} | typed
