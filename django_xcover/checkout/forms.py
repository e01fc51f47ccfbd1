"""The shopper's answer to one quote, as the browser sends it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from django_xcover import validators
from django_xcover.exceptions import CardNumberSent

PLEASE_CHOOSE = _("Please choose yes or no.")
UNREADABLE = _("We couldn't match your answer to an offer. Please answer again.")


class ChoiceForm(forms.Form):
    """Which quote, yes or no, how to pay, and a mark of what was on the page. Never a price.

    Whatever else a browser posts is used for nothing: price, currency and eligibility are the
    server's. A card number is refused in any field, known or not.
    """

    quote = forms.CharField(max_length=64, error_messages={"required": UNREADABLE})
    choice = forms.ChoiceField(
        choices=[("yes", _("Yes")), ("no", _("No"))],
        error_messages={"required": PLEASE_CHOOSE, "invalid_choice": PLEASE_CHOOSE},
    )
    shown = forms.CharField(max_length=64, required=False)
    # Empty for paying all at once, and without a meaning when the answer is no.
    plan = forms.CharField(max_length=64, required=False)

    @property
    def accepted(self) -> bool:
        """Return whether the answer is yes. Valid forms only."""
        return bool(self.cleaned_data["choice"] == "yes")

    def clean(self) -> dict[str, Any]:
        """Refuse card numbers, whatever else may be wrong."""
        # Not in `next`: it is an address of the shop's, in which any long number may stand.
        posted = {name: values for name, values in dict(self.data).items() if name != "next"}
        try:
            validators.refuse(posted)
        except CardNumberSent as refusal:
            self.errors.clear()
            raise forms.ValidationError(str(refusal)) from None
        return self.cleaned_data

    @property
    def first_error(self) -> str:
        """Return the first thing that is wrong with the answer, as a sentence, or ""."""
        return next((str(errors[0]) for errors in self.errors.values()), "")
