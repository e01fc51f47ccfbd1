"""The base of the admins of cancellations, modifications, renewals and instalments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common.display import (
    OfPackage,
    folded_json,
    last_error,
    last_error_without_words,
    may_view,
    page_url,
    state_badge,
)
from django_xcover.admin.common.filters import workflows_matching
from django_xcover.admin.common.redaction import redact_text
from django_xcover.admin.common.row_actions import (
    Button,
    ListActionAdmin,
    RowActionsAdmin,
    ShownAction,
)
from django_xcover.mirror.history import may_see_people
from django_xcover.models import Flag, Operation, OperationKind, OperationState, Quote, QuotePackage
from django_xcover.outbox.operations import OVERDUE
from django_xcover.support.follow_ups import carried_out_by
from django_xcover.support.next_steps import NextStep, next_step_of, operation_name


@dataclass(frozen=True, slots=True, kw_only=True)
class StepShown:
    """A next step as shown on a page.

    `error` is the operation's last error, with XCover's message for users who may see people.
    `row_actions` are the forms for the step that this user may submit.
    """

    urgent: bool
    what: str
    to_do: str
    error: str
    url: str
    button: Button | None
    row_actions: tuple[ShownAction, ...]


def steps_shown(
    request: HttpRequest, site: AdminSite, steps: Iterable[NextStep]
) -> list[StepShown]:
    """Return the `steps` whose row this user may see."""
    return [_shown(request, site, step) for step in steps if may_view(request, step.row)]


def with_steps(context: dict[str, Any], steps: list[StepShown]) -> dict[str, Any]:
    """Return the page's context with `steps`, and without showing their forms twice."""
    shown = {action.url for step in steps for action in step.row_actions}
    row_actions = [action for action in context.get("row_actions", ()) if action.url not in shown]
    return context | {"steps": steps, "row_actions": row_actions}


def _shown(request: HttpRequest, site: AdminSite, step: NextStep) -> StepShown:
    return StepShown(
        urgent=step.urgent,
        what=redact_text(step.what),
        to_do=step.to_do,
        error=_error(request, step.row) if step.error else "",
        url=page_url(step.row),
        button=_button(request, site, step),
        row_actions=_row_actions(request, site, step),
    )


def _error(request: HttpRequest, row: object) -> str:
    if not isinstance(row, Operation):
        return ""
    return last_error(row) if may_see_people(request) else last_error_without_words(row)


def _button(request: HttpRequest, site: AdminSite, step: NextStep) -> Button | None:
    row = step.row.package if isinstance(step.row, Flag) else step.row
    model_admin: object = site.get_model_admin(type(row))
    if not isinstance(model_admin, ListActionAdmin) or step.remedy != model_admin.action_name:
        return None
    return model_admin.button(row) if model_admin.has_action_permission(request, row) else None


def _row_actions(request: HttpRequest, site: AdminSite, step: NextStep) -> tuple[ShownAction, ...]:
    model_admin: object = site.get_model_admin(type(step.row))
    if not isinstance(model_admin, RowActionsAdmin):
        return ()
    return tuple(model_admin.shown_actions(request, step.row, step.row_actions))


MOVING = (OperationState.PENDING, OperationState.RUNNING)
# Seconds between reloads: short at first, while the user is likely to be watching.
SOON, LATER = 3, 20
A_WHILE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """An operation as shown on its workflow's page.

    `url` and `error` are "" for users who may not see operations.
    """

    name: str
    state: SafeString
    error: str
    url: str


def progress_of(request: HttpRequest, operation: Operation) -> Progress:
    """Return the progress of `operation`."""
    seen = may_view(request, operation)
    return Progress(
        name=operation_name(operation),
        state=state_badge(operation),
        error=_error(request, operation) if seen and operation.error else "",
        url=page_url(operation) if seen else "",
    )


def reload_after(operation: Operation) -> int:
    """Return the seconds until the page should reload, 0 for never."""
    age = timezone.now() - operation.updated_at
    if operation.state not in MOVING or age > OVERDUE:
        return 0
    return SOON if age < A_WHILE else LATER


# The policies' columns for a list, without XCover's answers.
NAMES_OF_POLICIES = Prefetch(
    "quotes", Quote.objects.only("policy_name", "label", "status").order_by("position")
)


class WorkflowAdmin(OfPackage, RowActionsAdmin):
    """Rows whose `state` an operation changes. The page shows its progress."""

    kinds: ClassVar[tuple[OperationKind, ...]]
    # The column of XCover's id for the row.
    vendor_id: ClassVar[str] = ""
    list_select_related: ClassVar[Any] = ("package",)
    heavy: ClassVar[tuple[str, ...]] = ("payload", "package__payload")
    personal = frozenset({"answer"})

    def matching(self, text: str, *, people: bool) -> Q:
        return workflows_matching(text, self.vendor_id, people=people)

    def package_of(self, row: Any) -> QuotePackage:
        """Return the package whose operations carry out `row`."""
        package: QuotePackage = row.package
        return package

    def steps_of(self, row: Any) -> Iterator[NextStep]:
        """Yield the next steps for `row` itself."""
        raise NotImplementedError

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        people = may_see_people(request)
        subtitle = self.subtitle(row, people=people)
        context = super().page_context(request, row) | {"subtitle": subtitle}
        operation = carried_out_by(row, self.package_of(row), self.kinds)
        steps = [*(next_step_of(operation) if operation else ()), *self.steps_of(row)]
        context["verdict"] = redact_text(self.verdict(row, people=people))
        context = with_steps(context, steps_shown(request, self.admin_site, steps))
        return context | _progress(request, operation)

    def verdict(self, row: Any, *, people: bool) -> str:
        """Return why `row` failed, or "".

        Without `people`, the text has nothing that a customer typed.
        """
        return ""

    def subtitle(self, row: Any, *, people: bool) -> str:
        """Return a short subtitle; without `people`, it has nothing that a customer typed."""
        return f"{capfirst(self.opts.verbose_name)} {self.package_of(row).package_id}"

    @admin.display(description=_("state"))
    def state_badge(self, row: Any) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("answer"))
    def answer(self, row: Any) -> SafeString:
        return folded_json(row.payload)


def _progress(request: HttpRequest, operation: Operation | None) -> dict[str, Any]:
    # The row itself shows a finished operation.
    if operation is None or operation.state == OperationState.DONE:
        return {}
    return {
        "progress": progress_of(request, operation),
        "reload_after": reload_after(operation),
    }


def with_policies(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return `rows` with the names of their policies read in one query."""
    return rows.prefetch_related(NAMES_OF_POLICIES)
