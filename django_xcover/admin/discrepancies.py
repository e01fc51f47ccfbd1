"""The admin of discrepancies between this database and XCover."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from django_xcover import exceptions, validators
from django_xcover.admin.common.base import MirrorAdmin, section
from django_xcover.admin.common.display import BAD, GOOD, PLAIN, amount, badge, link, story_url
from django_xcover.admin.common.filters import (
    UUID,
    AccountFilter,
    CreatedFilter,
    package_ids_matching,
)
from django_xcover.admin.common.forms import ResolveForm
from django_xcover.admin.common.row_actions import Outcome, RowAction, RowActionsAdmin
from django_xcover.formats import format_amount
from django_xcover.models import Discrepancy
from django_xcover.support.flag_texts import what_to_do
from django_xcover.sync import reconciliation
from django_xcover.sync.reconciliation import discrepancies

CONFIRM = "admin/xcover/resolve_together.html"
SEEN = re.compile(r"(\d{1,18}):([0-9a-f]{12})")
# The page lists this many, so that staff see some of the rows before they mark them.
EXAMPLES = 5
DONE = gettext_lazy("%(package)s was marked as looked into (%(kind)s): %(note)s")


class TogetherForm(ResolveForm):
    """One note for all rows, and a fingerprint of each as shown on the page."""

    seen = forms.CharField(widget=forms.HiddenInput)

    def clean_seen(self) -> dict[int, str]:
        """Return the fingerprint of each row by primary key."""
        pairs = [SEEN.fullmatch(pair) for pair in self.cleaned_data["seen"].split()]
        if not 0 < len(pairs) <= discrepancies.LIMIT or not all(pairs):
            raise ValidationError(_("The form was incomplete. Please start again from the list."))
        return {int(pair[1]): pair[2] for pair in pairs if pair}


def ask(model_admin: MirrorAdmin, request: HttpRequest, chosen: QuerySet[Discrepancy]) -> Any:
    """Return the confirmation page for the `chosen` rows; None if none can be marked."""
    rows = list(discrepancies.strangers(chosen)[: discrepancies.LIMIT])
    if not rows:
        text = _("Nothing to mark: choose open discrepancies that are “unknown to us”.")
        messages.warning(request, text)
        return None
    seen = " ".join(f"{row.pk}:{discrepancies.fingerprint(row)}" for row in rows)
    form = TogetherForm(initial={"seen": seen})
    return _page(model_admin, request, form, rows, left_out=chosen.count() - len(rows))


def resolve_shown(model_admin: MirrorAdmin, request: HttpRequest) -> HttpResponse:
    """Mark the rows shown on the page, and report the skipped ones."""
    if not model_admin.has_resolve_permission(request):  # type: ignore[attr-defined]
        raise PermissionDenied
    try:
        validators.refuse({"note": request.POST.getlist("note")})
    except exceptions.CardNumberSent as refusal:
        messages.error(request, str(refusal))
        return _to_the_list()
    form = TogetherForm(request.POST)
    if form.is_valid():
        _carry_out(request, **form.cleaned_data)
        return _to_the_list()
    if "seen" in form.errors:
        messages.error(
            request,
            _("Nothing was marked: the form was incomplete. Please start again from the list."),
        )
        return _to_the_list()
    rows = list(
        discrepancies.strangers(Discrepancy.objects.filter(pk__in=form.cleaned_data["seen"]))
    )
    return _page(model_admin, request, form, rows, left_out=0)


def _carry_out(request: HttpRequest, *, note: str, seen: dict[int, str]) -> None:
    # One transaction, so that each change has a log entry with the user.
    with transaction.atomic():
        done = reconciliation.resolve_all(seen, by=str(request.user.pk), note=note)
        LogEntry.objects.bulk_create(_entries(request, done, note), batch_size=discrepancies.CHUNK)
    text = ngettext(
        "%(count)s discrepancy was marked as looked into.",
        "%(count)s discrepancies were marked as looked into.",
        len(done),
    )
    messages.success(request, text % {"count": len(done)})
    _report_skipped(request, len(seen) - len(done))


def _report_skipped(request: HttpRequest, count: int) -> None:
    if count:
        text = ngettext(
            "%(count)s was left as it is: it is not open any more, or has changed. Look again.",
            "%(count)s were left as they are: not open any more, or changed. Look again.",
            count,
        )
        messages.warning(request, text % {"count": count})


def _entries(request: HttpRequest, done: list[Discrepancy], note: str) -> list[LogEntry]:
    kind = ContentType.objects.get_for_model(Discrepancy)
    return [
        LogEntry(
            user_id=str(request.user.pk),
            content_type=kind,
            object_id=str(row.pk),
            object_repr=str(row)[:200],
            action_flag=CHANGE,
            change_message=DONE
            % {"package": row.package_id, "kind": row.get_kind_display(), "note": note},
        )
        for row in done
    ]


def _page(
    model_admin: MirrorAdmin,
    request: HttpRequest,
    form: TogetherForm,
    rows: list[Discrepancy],
    *,
    left_out: int,
) -> TemplateResponse:
    context = {
        **model_admin.admin_site.each_context(request),
        "opts": model_admin.opts,
        "media": model_admin.media,
        "title": _("Mark as looked into"),
        "count": len(rows),
        "money": [format_amount(money) for money in discrepancies.money_of(rows)],
        "examples": rows[:EXAMPLES],
        "more": len(rows) - len(rows[:EXAMPLES]),
        "left_out": left_out,
        "form": form,
    }
    return TemplateResponse(request, CONFIRM, context)


def _to_the_list() -> HttpResponseRedirect:
    return HttpResponseRedirect(reverse("admin:xcover_discrepancy_changelist"))


State = Discrepancy.State
TONES: dict[str, str] = {State.OPEN: BAD, State.RESOLVED: GOOD, State.GONE: PLAIN}


class ResolveDiscrepancy(RowAction):
    """Mark a discrepancy as looked into."""

    name = "resolve"
    label = gettext_lazy("Mark as looked into…")
    button = gettext_lazy("Mark as looked into")
    permission = "resolve_discrepancy"
    is_main = True

    def fits(self, row: Discrepancy) -> bool:
        return row.state == State.OPEN

    def form(self, row: Discrepancy, data: Any = None) -> forms.Form:
        return ResolveForm(data)

    def carry_out(self, request: HttpRequest, row: Discrepancy, values: dict[str, Any]) -> Outcome:
        context = {"package": row.package_id, "kind": row.get_kind_display(), **values}
        if not reconciliation.resolve(row, by=str(request.user.pk), note=values["note"]):
            text = (
                _("%(package)s is no longer open, or has changed. Please check it again.") % context
            )
            return Outcome(sentence=text, level=messages.WARNING, log=False)
        text = _("%(package)s was marked as looked into (%(kind)s): %(note)s")
        return Outcome(sentence=text % context)


@admin.register(Discrepancy)
class DiscrepancyAdmin(RowActionsAdmin):
    """Discrepancies, newest first. The page of each says what to do."""

    row_actions = (ResolveDiscrepancy(),)
    actions = ("resolve_together",)
    shows_status_link = True
    list_display = (
        "what",
        "at_stake_shown",
        "state_badge",
        "order",
        "both_sides",
        "package_id",
    )
    search_help_text = gettext_lazy("Order, package id or policy id.")
    list_filter = ("state", "kind", AccountFilter, CreatedFilter)
    fieldsets = (
        section(None, "state_badge", "what", ("package_id", "quote_id"), "order"),
        section(
            gettext_lazy("Both sides"),
            "at_stake_shown",
            ("ours_shown", "theirs_shown"),
            ("here", "there"),
        ),
        section(gettext_lazy("Looked into"), "note", ("resolved_by", "resolved_at")),
        section(
            gettext_lazy("Where and when"),
            "account",
            ("created_at", "last_seen_at"),
            folded=True,
        ),
    )
    readonly_fields = (
        "state_badge",
        "what",
        "order",
        "at_stake_shown",
        "ours_shown",
        "theirs_shown",
    )

    def matching(self, text: str, *, people: bool) -> Q:
        text = text.strip()
        if UUID.fullmatch(text):
            return Q(quote_id=text.lower())
        # Also by order: a booking that is unknown to us has no package here.
        ids = package_ids_matching(text, people=people)
        return Q(package_id__in=ids) | Q(order_reference__startswith=text)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Return whether this user may mark discrepancies. Django calls it for the list action."""
        may = request.user.has_perm("xcover.resolve_discrepancy")
        return may and self.has_view_permission(request)

    @admin.action(
        description=gettext_lazy("Mark “unknown to us” as looked into…"), permissions=["resolve"]
    )
    def resolve_together(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> Any:
        return ask(self, request, queryset)

    @method_decorator(require_POST)
    def resolve_together_view(self, request: HttpRequest) -> HttpResponse:
        """Mark the rows that the action's page showed."""
        return resolve_shown(self, request)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.resolve_together_view)
        ours = path("together/resolve/", view, name="xcover_discrepancy_resolve_together")
        return [ours, *super().get_urls()]

    def page_context(self, request: HttpRequest, row: Discrepancy) -> dict[str, Any]:
        also = {"subtitle": str(row), "verdict": what_to_do(row)}
        return super().page_context(request, row) | also

    @admin.display(description=gettext_lazy("what"))
    def what(self, row: Discrepancy) -> str:
        return row.get_kind_display()

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, row: Discrepancy) -> SafeString:
        return badge(row.get_state_display(), TONES.get(row.state, PLAIN))

    @admin.display(description=gettext_lazy("order"))
    def order(self, row: Discrepancy) -> SafeString | str:
        # The order of a booking that is unknown to us has no timeline here.
        reference = row.order_reference
        is_known = reference and row.kind != Discrepancy.Kind.UNKNOWN
        return link(story_url(reference), reference) if is_known else reference or "-"

    @admin.display(description=gettext_lazy("at stake"))
    def at_stake_shown(self, row: Discrepancy) -> str:
        return amount(row.at_stake, row.currency)

    @admin.display(description=gettext_lazy("amount here"))
    def ours_shown(self, row: Discrepancy) -> str:
        return amount(row.ours, row.currency)

    @admin.display(description=gettext_lazy("amount at XCover"))
    def theirs_shown(self, row: Discrepancy) -> str:
        return amount(row.theirs, row.currency)

    @admin.display(description=gettext_lazy("here → at XCover"))
    def both_sides(self, row: Discrepancy) -> str:
        if row.kind == Discrepancy.Kind.PRICE_DIFFERS and row.theirs is not None:
            return f"{self.ours_shown(row)} → {self.theirs_shown(row)}"
        return f"{row.here or '-'} → {row.there or '-'}"
