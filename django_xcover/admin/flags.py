"""The admin of flags: why a booking needs attention, and who looked into it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import BAD, GOOD, OfPackage, badge, may_view
from django_xcover.admin.common.filters import OpenFilter, PackageAccountFilter, rows_matching
from django_xcover.admin.common.forms import ResolveForm
from django_xcover.admin.common.redaction import name_of, redact_text
from django_xcover.admin.common.row_actions import Outcome, RowAction, RowActionsAdmin
from django_xcover.admin.common.workflows import steps_shown, with_steps
from django_xcover.mirror import flags
from django_xcover.models import Flag
from django_xcover.support.next_steps import next_steps_of_flag


class Resolve(RowAction):
    """Mark a flag as looked into."""

    name = "resolve"
    label = gettext_lazy("Mark as looked into…")
    button = gettext_lazy("Mark as looked into")
    permission = "resolve_attention"

    def fits(self, row: Flag) -> bool:
        return row.is_open

    def form(self, row: Flag, data: Any = None) -> forms.Form:
        return ResolveForm(data)

    def carry_out(self, request: HttpRequest, row: Flag, values: dict[str, Any]) -> Outcome:
        context = {"package": row.package, "reason": row.get_reason_display(), **values}
        if not flags.resolve(row, by=str(request.user.pk), note=values["note"]):
            text = _("%(package)s is no longer flagged for this.") % context
            return Outcome(sentence=text, level=messages.WARNING, log=False)
        text = _("%(package)s was marked as looked into (%(reason)s): %(note)s")
        return Outcome(sentence=text % context)


@admin.register(Flag)
class FlagAdmin(OfPackage, RowActionsAdmin):
    """Flags, newest first. Viewing them needs the package's view permission."""

    row_actions = (Resolve(),)
    shows_status_link = True
    list_display = ("why", "state_badge", "order", "package_link", "raised_at")
    list_filter = (OpenFilter, "reason", PackageAccountFilter)
    list_select_related = ("package",)
    heavy = ("package__payload",)
    fieldsets = (
        section(None, "state_badge", "why", ("order", "package_link"), "raised_at"),
        section(gettext_lazy("Looked into"), "note_shown", ("resolved_by_shown", "resolved_at")),
    )
    readonly_fields = (
        "state_badge",
        "why",
        "order",
        "package_link",
        "note_shown",
        "resolved_by_shown",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flag]:
        rows: QuerySet[Flag] = super().get_queryset(request).select_related("package")
        return rows

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_view(request, Flag)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return may_view(request, Flag)

    def matching(self, text: str, *, people: bool) -> Q:
        return rows_matching(text, people=people)

    def page_context(self, request: HttpRequest, row: Flag) -> dict[str, Any]:
        steps = steps_shown(request, self.admin_site, next_steps_of_flag(row))
        return with_steps(super().page_context(request, row), steps) | {"subtitle": str(row)}

    @admin.display(description=gettext_lazy("why"))
    def why(self, row: Flag) -> str:
        return row.get_reason_display()

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, row: Flag) -> SafeString:
        return badge(_("open"), BAD) if row.is_open else badge(_("looked into"), GOOD)

    @admin.display(description=gettext_lazy("what was done about it"))
    def note_shown(self, row: Flag) -> str:
        return redact_text(row.note) or "-"

    @admin.display(description=gettext_lazy("resolved by"))
    def resolved_by_shown(self, row: Flag) -> str:
        if row.is_open:
            return "-"
        return name_of(row.resolved_by) or _("automatically: the reason no longer applies")
