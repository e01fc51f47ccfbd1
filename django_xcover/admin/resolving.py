"""The form in which staff say what they did about something."""

from __future__ import annotations

import re

from django import forms
from django.utils.translation import gettext_lazy

from django_xcover.admin.redaction import HIDDEN, redact_text

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
PHONE = re.compile(r"\+?\d[\d\s()/.-]{7,}\d")


class ResolveForm(forms.Form):
    note = forms.CharField(
        label=gettext_lazy("What was done about it"),
        max_length=200,
        help_text=gettext_lazy("It stays on record. No names, addresses or phone numbers."),
    )

    def clean_note(self) -> str:
        """Return the note without what was typed in spite of the help text."""
        note = redact_text(self.cleaned_data["note"])
        return PHONE.sub(HIDDEN, EMAIL.sub(HIDDEN, note))
