"""The form with which a shopper accepts or declines a quote."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from django_xcover import validators
from django_xcover.exceptions import CardNumberSent

PLEASE_CHOOSE = _("Please choose yes or no.")
UNREADABLE = _("We couldn't match your answer to an offer. Please answer again.")


class ChoiceForm(forms.Form):
    """The quote, yes or no, the payment plan, and a hash of the offer shown. It has no price.

    Other posted fields are ignored: the server determines price, currency and eligibility. A card
    number in any field, even an unknown one, makes the form invalid.
    """

    quote = forms.CharField(max_length=64, error_messages={"required": UNREADABLE})
    choice = forms.ChoiceField(
        choices=[("yes", _("Yes")), ("no", _("No"))],
        error_messages={"required": PLEASE_CHOOSE, "invalid_choice": PLEASE_CHOOSE},
    )
    shown = forms.CharField(max_length=64, required=False)
    # Empty to pay all at once; ignored if the answer is no.
    plan = forms.CharField(max_length=64, required=False)

    @property
    def accepted(self) -> bool:
        """Return whether the answer is yes. Requires a valid form."""
        return bool(self.cleaned_data["choice"] == "yes")

    def clean(self) -> dict[str, Any]:
        """Raise ValidationError for a card number; it replaces all other errors."""
        # `next` is skipped: it's a URL of the shop and may contain any long number.
        posted = {name: values for name, values in dict(self.data).items() if name != "next"}
        try:
            validators.refuse(posted)
        except CardNumberSent as refusal:
            self.errors.clear()
            raise forms.ValidationError(str(refusal)) from None
        return self.cleaned_data

    @property
    def first_error(self) -> str:
        """Return the first error message, or ""."""
        return next((str(errors[0]) for errors in self.errors.values()), "")
