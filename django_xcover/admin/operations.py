"""The admin of the outbox: operations, retries and giving up."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from django_xcover import safe_logging
from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import (
    OfPackage,
    folded_json,
    last_error,
    last_error_without_words,
    next_attempt,
    order_link,
    package_link,
    state_badge,
)
from django_xcover.admin.common.filters import (
    CreatedFilter,
    EndedFilter,
    PackageAccountFilter,
    rows_matching,
)
from django_xcover.admin.common.forms import ResolveForm
from django_xcover.admin.common.redaction import redact_text
from django_xcover.admin.common.row_actions import (
    ListActionAdmin,
    Outcome,
    RowAction,
    RowActionsAdmin,
)
from django_xcover.admin.common.workflows import reload_after, steps_shown, with_steps
from django_xcover.admin.health import status_page
from django_xcover.clients import circuit_breaker
from django_xcover.conf import get_config
from django_xcover.models import AccountPause, Operation, OperationState
from django_xcover.outbox import operations
from django_xcover.support import give_up
from django_xcover.support.failure_texts import in_brief
from django_xcover.support.next_steps import next_step_of, operation_name

logger = safe_logging.get_logger("django_xcover.admin")


def try_now(model_admin: ModelAdmin[Operation], request: HttpRequest, account: str) -> HttpResponse:
    """Let the next call of `account` through; raise PermissionDenied without the permission."""
    may = request.user.has_perm("xcover.retry_operation")
    if not (may and model_admin.has_view_permission(request)):
        raise PermissionDenied
    if account not in get_config().accounts:
        raise Http404(_("This account doesn't exist."))
    if circuit_breaker.try_now(account):
        text = _("The next call checks whether XCover is back (%(account)s).")
        messages.success(request, text % {"account": account})
        _log(request, account, text % {"account": account})
    else:
        messages.warning(request, _("%(account)s: the circuit isn't open.") % {"account": account})
    return HttpResponseRedirect(reverse("admin:xcover_status"))


def _log(request: HttpRequest, account: str, text: str) -> None:
    logger.warning("User %s let the next call through (%s).", request.user.pk, account)
    # An account isn't a row, so the entry has no link.
    LogEntry.objects.create(
        user_id=str(request.user.pk),
        content_type=ContentType.objects.get_for_model(AccountPause),
        object_repr=account,
        action_flag=CHANGE,
        change_message=text,
    )


class GiveUp(RowAction):
    """Give up an operation that was settled by hand or can't succeed."""

    name = "give-up"
    label = gettext_lazy("Give up, or note as settled by hand…")
    button = gettext_lazy("Never try it again")
    permission = "give_up_operation"
    is_final = True

    def fits(self, row: Operation) -> bool:
        return give_up.may_give_up(row)

    def note_for(self, row: Operation) -> str:
        return give_up.meaning_of(row)

    def form(self, row: Operation, data: Any = None) -> forms.Form:
        return ResolveForm(data)

    def carry_out(self, request: HttpRequest, row: Operation, values: dict[str, Any]) -> Outcome:
        give_up.give_up(row, note=values["note"])
        text = _("%(name)s of %(package)s was given up: %(note)s")
        context = {"name": operation_name(row), "package": row.package.package_id, **values}
        return Outcome(sentence=text % context, also=(row.package,))


REQUEST_NOTE = gettext_lazy(
    "Of the customer's data, the request shows only name, e-mail and country. It's emptied when "
    "the operation is done."
)
RETRYABLE = (OperationState.PENDING, OperationState.NEEDS_PERSON)


@admin.register(Operation)
class OperationAdmin(OfPackage, ListActionAdmin, RowActionsAdmin):
    """Operations. Staff can retry waiting and stopped ones, and give up stopped ones."""

    action_name = "retry"
    action_label = gettext_lazy("Retry now")
    actions = ("retry_now",)
    action_limit = 100
    row_actions = (GiveUp(),)

    shows_status_link = True
    list_display = (
        "what",
        "order_or_package",
        "state_badge",
        "attempts",
        "next_attempt",
        "error_in_brief",
    )
    list_filter = ("state", EndedFilter, "kind", PackageAccountFilter, CreatedFilter)
    list_select_related = ("package",)
    heavy = ("request", "package__payload")
    personal = frozenset({"request_shown", "error_in_words"})
    instead: ClassVar = {"error_in_words": "error_without_words"}
    fieldsets = (
        section(None, "state_badge", ("order", "package_link")),
        section(
            gettext_lazy("Attempts"),
            "attempts",
            ("next_attempt", "lease_until", "finished_at"),
            "error_in_words",
        ),
        section(
            gettext_lazy("For XCover's support"),
            "idempotency_key",
            ("created_at", "updated_at"),
            "request_shown",
            note=REQUEST_NOTE,
        ),
    )
    readonly_fields = (
        "state_badge",
        "order",
        "package_link",
        "next_attempt",
        "error_in_words",
        "error_without_words",
        "request_shown",
    )

    def matching(self, text: str, *, people: bool) -> Q:
        return rows_matching(text, people=people)

    @admin.action(description=gettext_lazy("Retry now"), permissions=["action"])
    def retry_now(self, request: HttpRequest, queryset: QuerySet[Operation]) -> None:
        self.perform_on_chosen(request, queryset)

    def perform(self, row: Operation) -> Outcome:
        names = {"name": operation_name(row), "package": row.package.package_id}
        if row.state in RETRYABLE and operations.retry(row):
            return Outcome(sentence=_("%(name)s of %(package)s is being retried now.") % names)
        text = _("%(name)s of %(package)s wasn't retried: its state is “%(state)s”.")
        row.refresh_from_db(fields=("state",))
        return Outcome(
            sentence=text % {**names, "state": row.get_state_display()},
            level=messages.WARNING,
            log=False,
        )

    def do(self, request: HttpRequest, row: Operation) -> Outcome:
        """Retry and log in one transaction, so that each retry has a log entry."""
        with transaction.atomic():
            return super().do(request, row)

    def button_context(self, request: HttpRequest, row: Operation) -> dict[str, Any]:
        return super().button_context(request, row) if row.state in RETRYABLE else {}

    def page_context(self, request: HttpRequest, row: Operation) -> dict[str, Any]:
        steps = steps_shown(request, self.admin_site, next_step_of(row))
        name = f"{operation_name(row)} {row.package.package_id}"
        given_up = _("Given up: %(note)s") % {"note": redact_text(row.given_up)}
        also = {
            "subtitle": name,
            "verdict": given_up if row.given_up else "",
            "reload_after": reload_after(row),
        }
        return with_steps(super().page_context(request, row), steps) | also

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        ours = [
            path("status/", wrap(self.status_view), name="xcover_status"),
            path("status/<path:account>/try/", wrap(self.try_view), name="xcover_status_try"),
        ]
        return [*ours, *super().get_urls()]

    def status_view(self, request: HttpRequest) -> HttpResponse:
        """Show the health page."""
        return status_page(self, request)

    @method_decorator(require_POST)
    def try_view(self, request: HttpRequest, account: str) -> HttpResponse:
        """Let the next call check whether XCover is back."""
        return try_now(self, request, account)

    @admin.display(description=gettext_lazy("operation"))
    def what(self, row: Operation) -> str:
        return operation_name(row)

    @admin.display(description=gettext_lazy("order"))
    def order_or_package(self, row: Operation) -> SafeString | str:
        # One column for both: the order links to the package, and small screens fit few columns.
        return order_link(row.package) or package_link(row.package)

    @admin.display(description=gettext_lazy("state"))
    def state_badge(self, row: Operation) -> SafeString:
        return state_badge(row)

    @admin.display(description=gettext_lazy("next attempt"))
    def next_attempt(self, row: Operation) -> str:
        return next_attempt(row)

    @admin.display(description=gettext_lazy("last error"))
    def error_in_brief(self, row: Operation) -> str:
        return in_brief(row.error) or "-"

    @admin.display(description=gettext_lazy("last error"))
    def error_in_words(self, row: Operation) -> str:
        return last_error(row)

    @admin.display(description=gettext_lazy("last error"))
    def error_without_words(self, row: Operation) -> str:
        return last_error_without_words(row)

    @admin.display(description=gettext_lazy("request"))
    def request_shown(self, row: Operation) -> SafeString:
        return folded_json(row.request)
