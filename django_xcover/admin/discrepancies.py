"""What is not the same here and at XCover, in the admin: for whoever looks after the money."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from django_xcover.admin import resolving_together
from django_xcover.admin.actions import Outcome
from django_xcover.admin.acts import Act, StaffActs
from django_xcover.admin.badges import BAD, GOOD, PLAIN, badge
from django_xcover.admin.base import section
from django_xcover.admin.filters import AccountFilter, CreatedFilter
from django_xcover.admin.links import link, story_url
from django_xcover.admin.resolving import ResolveForm
from django_xcover.admin.search import UUID, package_ids_matching
from django_xcover.admin.texts import amount
from django_xcover.models import Discrepancy
from django_xcover.services import reconciling
from django_xcover.services.reconciling.advice import what_to_do

State = Discrepancy.State
TONES: dict[str, str] = {State.OPEN: BAD, State.RESOLVED: GOOD, State.GONE: PLAIN}


class ResolveDiscrepancy(Act):
    """Note that somebody has looked into a discrepancy."""

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
        facts = {"package": row.package_id, "kind": row.get_kind_display(), **values}
        if not reconciling.resolve(row, by=str(request.user.pk), note=values["note"]):
            told = _("%(package)s: this is not open any more, or has changed. Look again.") % facts
            return Outcome(sentence=told, level=messages.WARNING, log=False)
        told = _("%(package)s was marked as looked into (%(kind)s): %(note)s")
        return Outcome(sentence=told % facts)


@admin.register(Discrepancy)
class DiscrepancyAdmin(StaffActs):
    """Discrepancies, the newest first; the page of one says what to do about it."""

    acts = (ResolveDiscrepancy(),)
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

    def matching(self, text: str) -> Q:
        text = text.strip()
        if UUID.fullmatch(text):
            return Q(quote_id=text.lower())
        # By the order as well: a booking that is unknown to us has no package here.
        return Q(package_id__in=package_ids_matching(text)) | Q(order_reference__startswith=text)

    def has_resolve_permission(self, request: HttpRequest) -> bool:
        """Return whether this user may mark discrepancies; asked for the list's action too."""
        may = request.user.has_perm("xcover.resolve_discrepancy")
        return may and self.has_view_permission(request)

    @admin.action(
        description=gettext_lazy("Mark “unknown to us” as looked into…"), permissions=["resolve"]
    )
    def resolve_together(self, request: HttpRequest, queryset: QuerySet[Discrepancy]) -> Any:
        return resolving_together.ask(self, request, queryset)

    @method_decorator(require_POST)
    def resolve_together_view(self, request: HttpRequest) -> HttpResponse:
        """Mark what the page of the action has shown."""
        return resolving_together.mark(self, request)

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
        # Nothing is known here of the order of a booking that is unknown to us.
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
