"""The admin of paused accounts: add a row to pause, press a button to resume."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.common.row_actions import ListActionAdmin, Outcome, way_back
from django_xcover.conf import get_config
from django_xcover.models import AccountPause
from django_xcover.outbox import account_pause


class PauseForm(forms.ModelForm):  # type: ignore[type-arg]
    """The account and the reason."""

    account = forms.ChoiceField(label=gettext_lazy("Account"))

    class Meta:
        model = AccountPause
        fields = ("account", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("account"):
            paused = set(AccountPause.objects.values_list("account", flat=True))
            names = sorted(set(get_config().accounts) - paused)
            field.choices = [(name, name) for name in names]  # type: ignore[attr-defined]


@admin.register(AccountPause)
class AccountPauseAdmin(ListActionAdmin):
    """Paused accounts. Workers skip their operations."""

    form = PauseForm
    action_name = "resume"
    action_label = gettext_lazy("Resume")
    action_limit = 20
    actions = ("resume",)
    search_help_text = gettext_lazy("Account.")
    shows_status_link = True
    list_display = ("account", "reason", "paused_by", "paused_at")
    ordering = ("account",)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return whether this user may pause accounts."""
        may = request.user.has_perm("xcover.add_accountpause")
        return may and self.has_view_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("account", "reason", "paused_by", "paused_at") if obj else ("account", "reason")

    def matching(self, text: str, *, people: bool) -> Q:
        return Q(account=text.strip())

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Pause the account through the same function as the command does."""
        by = request.user.get_username()
        obj.pk = account_pause.pause(obj.account, by=by, reason=obj.reason).pk

    @admin.action(description=gettext_lazy("Resume"), permissions=["action"])
    def resume(self, request: HttpRequest, queryset: QuerySet[AccountPause]) -> None:
        self.perform_on_chosen(request, queryset)

    def do(self, request: HttpRequest, row: AccountPause) -> Outcome:
        """Resume and log in one transaction, so that each resume has a log entry."""
        with transaction.atomic():
            if account_pause.resume(row.account, by=request.user.get_username()):
                outcome = Outcome(sentence=_("Resumed %(account)s.") % {"account": row.account})
            else:
                text = _("%(account)s was no longer paused.") % {"account": row.account}
                outcome = Outcome(sentence=text, level=messages.WARNING, log=False)
            return self.report(request, row, outcome)

    def action_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Resume and redirect back, or to the list, because the row is deleted."""
        super().action_view(request, object_id)
        there = way_back(request) or reverse("admin:xcover_accountpause_changelist")
        return HttpResponseRedirect(there)
