"""The form with which a shopper accepts or declines a quote."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from django_xcover import validators
from django_xcover.exceptions import CardNumberSent
from django_xcover.offers.choices import Answer

PLEASE_CHOOSE = _("Please choose yes or no.")
UNREADABLE = _("We couldn't match your answer to an offer. Please answer again.")


class TextsField(forms.CharField):
    """A text field that may be posted several times; its value is the list of texts."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Any) -> Any:
        """Return the posted texts. Raise ValidationError for any that is unusable."""
        return [super(TextsField, self).clean(text) for text in value or [""]]


class AnswerForm(forms.Form):
    """Yes or no. A card number in any field, even an unknown one, makes the form invalid."""

    choice = forms.ChoiceField(
        choices=[("yes", _("Yes")), ("no", _("No"))],
        error_messages={"required": PLEASE_CHOOSE, "invalid_choice": PLEASE_CHOOSE},
    )

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


class AfterSaleForm(AnswerForm):
    """Yes to some of the quotes offered after the sale, or no to all. It has no price."""

    quote = TextsField(max_length=64, required=False)
    shown = forms.CharField(max_length=64, required=False)

    def clean(self) -> dict[str, Any]:
        """Raise ValidationError for a yes to nothing."""
        data = super().clean()
        data["quote"] = [text for text in data.get("quote", []) if text]
        if data.get("choice") == "yes" and not data["quote"]:
            raise forms.ValidationError(PLEASE_CHOOSE)
        return data


class ChoiceForm(AnswerForm):
    """The quotes, yes or no, the payment plan, and a hash of each offer shown. It has no price.

    `quote` and `shown` are posted once for each quote that the answer applies to.

    Other posted fields are ignored: the server determines price, currency and eligibility.
    """

    # `first_error` is the one about the offer, if it is missing.
    field_order = ("quote",)

    quote = TextsField(max_length=64, error_messages={"required": UNREADABLE})
    shown = TextsField(max_length=64, required=False)
    # Empty to pay all at once, missing to keep what was chosen; ignored if the answer is no.
    plan = forms.CharField(max_length=64, required=False)
    # XCover's own element showed the offer, for the record of the answer.
    element = forms.BooleanField(required=False)

    @property
    def answers(self) -> dict[str, Answer]:
        """Return the same answer for each posted quote. Requires a valid form."""
        data = self.cleaned_data
        accepted = data["choice"] == "yes"
        # A yes to all, or without a plan, says nothing about how a chosen cover is paid.
        says_plan = "plan" in self.data and len(data["quote"]) == 1
        plan = data["plan"] if says_plan else None
        return {
            quote_id: Answer(accepted=accepted, shown=shown, plan=plan)
            for quote_id, shown in zip(data["quote"], data["shown"], strict=True)
        }

    def clean(self) -> dict[str, Any]:
        """Raise ValidationError for a card number, and for answers without an offer."""
        super().clean()
        quotes, shown = (self.cleaned_data.get(name, []) for name in ("quote", "shown"))
        # Each of several answers applies to the offer that was shown for it, and to no other.
        unpaired = len(quotes) > 1 and not (len(set(quotes)) == len(quotes) and all(shown))
        if unpaired or len(shown) != max(len(quotes), 1):
            self.add_error("quote", UNREADABLE)
        return self.cleaned_data
