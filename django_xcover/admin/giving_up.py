"""Ending what waits for a person, with what is then left to do."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act
from django_xcover.admin.resolving import ResolveForm
from django_xcover.models import Operation
from django_xcover.services import giving_up
from django_xcover.services.next_steps import operation_name


class GiveUp(Act):
    """End an operation that was settled by hand, or of which nothing will come."""

    name = "give-up"
    label = gettext_lazy("Give up, or note as settled by hand…")
    button = gettext_lazy("Never try it again")
    permission = "give_up_operation"
    is_final = True

    def fits(self, row: Operation) -> bool:
        return giving_up.may_give_up(row)

    def note_for(self, row: Operation) -> str:
        return giving_up.meaning_of(row)

    def form(self, row: Operation, data: Any = None) -> forms.Form:
        return ResolveForm(data)

    def carry_out(self, request: HttpRequest, row: Operation, values: dict[str, Any]) -> Outcome:
        giving_up.give_up(row, note=values["note"])
        told = _("%(name)s of %(package)s was given up: %(note)s")
        facts = {"name": operation_name(row), "package": row.package.package_id, **values}
        return Outcome(sentence=told % facts, also=(row.package,))
