"""The admin of unsettled orders: events for which the shop's adapter failed."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from django_xcover.admin.base import section
from django_xcover.admin.display import BAD, GOOD, PLAIN, WAITING, badge
from django_xcover.admin.filters import CreatedFilter
from django_xcover.admin.forms import ResolveForm
from django_xcover.admin.row_actions import ListActionAdmin, Outcome, RowAction, RowActionsAdmin
from django_xcover.models import OrderEvent
from django_xcover.orders import events

State = OrderEvent.State
TONES: dict[str, str] = {
    State.PENDING: WAITING,
    State.DONE: GOOD,
    State.NEEDS_PERSON: BAD,
    State.GIVEN_UP: PLAIN,
}
TO_DO = gettext_lazy(
    "The shop's adapter failed for this order, so nothing has been booked or cancelled for it "
    "yet. Ask the developers to fix the adapter; the log shows the error. Then press “Retry now”. "
    "If the order was settled in another way, note that here."
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
        section(None, "state_badge", ("order_reference", "kind"), "error", "given_up", note=TO_DO),
        section(
            gettext_lazy("Attempts"), "attempts", ("created_at", "next_attempt_at", "finished_at")
        ),
        section(gettext_lazy("What is known"), ("account", "cart_reference"), "lines"),
    )
    readonly_fields = ("state_badge",)

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
