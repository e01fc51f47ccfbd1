"""The admin of frozen premiums, and of orders whose events could not be processed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.common import display
from django_xcover.admin.common.base import MirrorAdmin, section
from django_xcover.admin.common.display import BAD, GOOD, PLAIN, WAITING, badge, hold_badge
from django_xcover.admin.common.filters import CreatedFilter, HoldFilter, packages_matching
from django_xcover.admin.common.forms import ResolveForm
from django_xcover.admin.common.row_actions import (
    ListActionAdmin,
    Outcome,
    RowAction,
    RowActionsAdmin,
)
from django_xcover.formats import format_amount
from django_xcover.models import Choice, Hold, OrderEvent, QuotePackage
from django_xcover.orders import events
from django_xcover.types import Money


@admin.register(Hold)
class HoldAdmin(MirrorAdmin):
    """Holds, newest first. They are read-only: the shop takes them over and releases them."""

    list_display = ("created_at", "state_badge", "premium_shown", "order", "package_link", "expiry")
    list_filter = (HoldFilter, "account", CreatedFilter)
    list_select_related = ("package",)
    heavy = ("package__payload",)
    fieldsets = (
        section(None, "state_badge", "premium_shown", ("order", "package_link")),
        section(gettext_lazy("What was frozen"), "choices_shown", ("created_at", "expires_at")),
        section(gettext_lazy("What happened to it"), ("taken_at", "released_at", "reported_at")),
        section(
            gettext_lazy("For developers"),
            "reference",
            ("account", "cart_reference"),
            note=gettext_lazy(
                "Send order_completed with this reference to give the order this cover."
            ),
            folded=True,
        ),
    )
    readonly_fields = ("state_badge", "premium_shown", "order", "package_link", "choices_shown")

    def matching(self, text: str, *, people: bool) -> Q:
        packages = QuotePackage.objects.filter(packages_matching(text, people=people))
        return Q(order_reference=text.strip()) | Q(package__in=packages.values("pk"))

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, row: Hold) -> SafeString:
        return hold_badge(row)

    @admin.display(description=gettext_lazy("premium"))
    def premium_shown(self, row: Hold) -> str:
        return format_amount(row.premium) if row.premium else str(gettext_lazy("without cover"))

    @admin.display(description=gettext_lazy("order"))
    def order(self, row: Hold) -> SafeString | str:
        reference = row.order_reference
        if not reference:
            return "-"
        # The timeline belongs to the order's package; an order without cover has none.
        has_story = row.package is not None and row.package.order_reference == reference
        return display.link(display.story_url(reference), reference) if has_story else reference

    @admin.display(description=gettext_lazy("package"))
    def package_link(self, row: Hold) -> SafeString | str:
        return display.package_link(row.package) if row.package else "-"

    @admin.display(description=gettext_lazy("expires at"))
    def expiry(self, row: Hold) -> object:
        return "-" if row.is_resolved else row.expires_at

    @admin.display(description=gettext_lazy("choices"))
    def choices_shown(self, row: Hold) -> SafeString | str:
        currency = row.package.currency if row.package else row.currency
        lines = (
            (
                frozen["quote"],
                Choice(frozen["choice"] or Choice.UNANSWERED).label,
                format_amount(Money(Decimal(frozen["price"]), currency)),
                frozen["plan"],
            )
            for frozen in row.choices
        )
        return format_html_join("", "{}: {}, {} {}<br>", lines) or "-"


State = OrderEvent.State
TONES: dict[str, str] = {
    State.PENDING: WAITING,
    State.DONE: GOOD,
    State.NEEDS_PERSON: BAD,
    State.GIVEN_UP: PLAIN,
    State.NOTED: PLAIN,
}
TO_DO = gettext_lazy(
    "The shop's adapter failed for this order, so nothing has been booked or cancelled for it "
    "yet. Ask the developers to fix the adapter; the log shows the error. Then press “Retry now”. "
    "If the order was settled in another way, note that here."
)

KEPT = gettext_lazy(
    "The shop cancelled this order before it was known here, or while an earlier event of it "
    "waits. There is nothing to do: the cancellation is applied as soon as the order is settled."
)


class GiveUp(RowAction):
    """Note that the order was settled by hand."""

    name = "give-up"
    label = gettext_lazy("Note as settled by hand…")
    button = gettext_lazy("Never try it again")
    permission = "give_up_orderevent"
    is_final = True

    def fits(self, row: OrderEvent) -> bool:
        return row.state == State.NEEDS_PERSON

    def form(self, row: OrderEvent, data: Any = None) -> forms.Form:
        return ResolveForm(data)

    def carry_out(self, request: HttpRequest, row: OrderEvent, values: dict[str, Any]) -> Outcome:
        if not events.give_up(row, note=values["note"]):
            text = _("Order %(order)s no longer needs a person.")
            return Outcome(
                sentence=text % {"order": row.order_reference},
                level=messages.WARNING,
                log=False,
            )
        text = _("Order %(order)s was settled by hand: %(note)s")
        return Outcome(sentence=text % {"order": row.order_reference, **values})


@admin.register(OrderEvent)
class OrderEventAdmin(ListActionAdmin, RowActionsAdmin):
    """Unsettled orders. Staff retry them or note that they were settled by hand."""

    action_name = "retry"
    action_label = gettext_lazy("Retry now")
    action_limit = 100
    actions = ("retry_now",)
    row_actions = (GiveUp(),)

    shows_status_link = True
    search_help_text = gettext_lazy("Order.")
    list_display = ("order_reference", "kind", "state_badge", "attempts", "error", "created_at")
    list_filter = ("state", "kind", CreatedFilter)
    fieldsets = (
        section(None, "state_badge", ("order_reference", "kind"), "error", "given_up"),
        section(
            gettext_lazy("Attempts"), "attempts", ("created_at", "next_attempt_at", "finished_at")
        ),
        section(gettext_lazy("What is known"), ("account", "cart_reference"), "lines"),
    )
    readonly_fields = ("state_badge",)

    def get_fieldsets(self, request: HttpRequest, obj: OrderEvent | None = None) -> Any:
        first, *others = super().get_fieldsets(request, obj)
        title, options = first
        note = _what_to_do(obj) if obj is not None else ""
        return [(title, {**options, "description": note}), *others]

    def matching(self, text: str, *, people: bool) -> Q:
        return Q(order_reference__startswith=text.strip())

    @admin.action(description=gettext_lazy("Retry now"), permissions=["action"])
    def retry_now(self, request: HttpRequest, queryset: QuerySet[OrderEvent]) -> None:
        self.perform_on_chosen(request, queryset)

    def perform(self, row: OrderEvent) -> Outcome:
        order = {"order": row.order_reference}
        if events.retry(row):
            return Outcome(sentence=_("Order %(order)s is being retried now.") % order)
        text = _("Order %(order)s is already settled.") % order
        return Outcome(sentence=text, level=messages.WARNING, log=False)

    def do(self, request: HttpRequest, row: OrderEvent) -> Outcome:
        """Retry and log in one transaction, so that each retry has a log entry."""
        with transaction.atomic():
            return super().do(request, row)

    def button_context(self, request: HttpRequest, row: OrderEvent) -> dict[str, Any]:
        waits = row.state in {State.PENDING, State.NEEDS_PERSON}
        return super().button_context(request, row) if waits else {}

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, row: OrderEvent) -> SafeString:
        return badge(row.get_state_display(), TONES.get(row.state, PLAIN))


def _what_to_do(row: OrderEvent) -> Any:
    if row.state not in {State.PENDING, State.NEEDS_PERSON}:
        return ""
    is_kept = row.kind == OrderEvent.Kind.CANCELLED and not row.attempts
    return KEPT if is_kept and row.state == State.PENDING else TO_DO
