"""The shopper's answer to one quote, as the browser sends it."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

PLEASE_CHOOSE = _("Please choose yes or no.")
UNREADABLE = _("We could not tell which offer you answered. Please answer it again.")


class ChoiceForm(forms.Form):
    """Which quote, yes or no, and a mark of what was on the page. Never a price.

    Whatever else a browser posts is not looked at: price, currency and eligibility are the
    server's.
    """

    quote = forms.CharField(max_length=64, error_messages={"required": UNREADABLE})
    choice = forms.ChoiceField(
        choices=[("yes", _("Yes")), ("no", _("No"))],
        error_messages={"required": PLEASE_CHOOSE, "invalid_choice": PLEASE_CHOOSE},
    )
    shown = forms.CharField(max_length=64, required=False)

    @property
    def accepted(self) -> bool:
        """Return whether the answer is yes. Valid forms only."""
        return bool(self.cleaned_data["choice"] == "yes")

    @property
    def complaint(self) -> str:
        """Return the first thing that is wrong with the answer, as a sentence, or ""."""
        return next((str(errors[0]) for errors in self.errors.values()), "")
