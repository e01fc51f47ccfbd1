"""Saying that somebody has looked into what a booking was flagged for."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act
from django_xcover.admin.redaction import HIDDEN, redact_text
from django_xcover.models import QuotePackage
from django_xcover.services import attention

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


class Resolve(Act):
    """Clear what a booking was flagged for."""

    name = "resolve"
    label = gettext_lazy("Mark as looked into…")
    button = gettext_lazy("Mark as looked into")
    permission = "resolve_attention"

    def fits(self, row: QuotePackage) -> bool:
        return bool(row.attention)

    def form(self, row: QuotePackage, data: Any = None) -> forms.Form:
        return ResolveForm(data)

    def carry_out(self, request: HttpRequest, row: QuotePackage, values: dict[str, Any]) -> Outcome:
        facts = {"package": row.package_id, "reason": row.get_attention_display(), **values}
        if not attention.resolve(row, by=str(request.user.pk), note=values["note"]):
            told = _("%(package)s is not flagged any more.") % facts
            return Outcome(sentence=told, level=messages.WARNING, log=False)
        told = _("%(package)s was marked as looked into (%(reason)s): %(note)s")
        return Outcome(sentence=told % facts)
