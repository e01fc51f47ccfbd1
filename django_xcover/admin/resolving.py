"""The form in which staff say what they did about something."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from django_xcover.admin.redaction import HIDDEN, redact_text

EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
PHONE = re.compile(r"\+?\d[\d\s()/.-]{7,}\d")


class NoteField(forms.CharField):
    """A note that stays on record, without what was typed in spite of the help text."""

    def __init__(self, **kwargs: Any) -> None:
        told = gettext_lazy("It stays on record. No names, addresses or phone numbers.")
        super().__init__(max_length=200, help_text=told, **kwargs)

    def clean(self, value: Any) -> str:
        """Return the note without addresses and phone numbers."""
        return PHONE.sub(HIDDEN, EMAIL.sub(HIDDEN, redact_text(super().clean(value))))


class ResolveForm(forms.Form):
    note = NoteField(label=gettext_lazy("What was done about it"))
