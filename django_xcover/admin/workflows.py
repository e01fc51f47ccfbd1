"""What the admins of cancellations, modifications, renewals and instalments share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Prefetch, Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.acts import StaffActs
from django_xcover.admin.badges import state_badge
from django_xcover.admin.columns import OfPackage, folded_json
from django_xcover.admin.progress import progress_of, reload_after
from django_xcover.admin.redaction import redact_text
from django_xcover.admin.search import workflows_matching
from django_xcover.admin.steps import steps_shown, with_steps
from django_xcover.models import Operation, OperationKind, OperationState, Quote, QuotePackage
from django_xcover.services.after_sale import carried_out_by
from django_xcover.services.next_steps import NextStep, next_step_of

# What a list shows of the policies, without the vendor's answers.
NAMES_OF_POLICIES = Prefetch(
    "quotes", Quote.objects.only("policy_name", "label", "status").order_by("position")
)


class WorkflowAdmin(OfPackage, StaffActs):
    """Rows with a `state` that an operation moves on; the page shows how far that is."""

    kinds: ClassVar[tuple[OperationKind, ...]]
    # The column of XCover's id for the row.
    vendor_id: ClassVar[str] = ""
    list_select_related: ClassVar[Any] = ("package",)
    heavy: ClassVar[tuple[str, ...]] = ("payload", "package__payload")

    def matching(self, text: str) -> Q:
        return workflows_matching(text, self.vendor_id)

    def package_of(self, row: Any) -> QuotePackage:
        """Return the package whose operations carry out what is asked for `row`."""
        package: QuotePackage = row.package
        return package

    def steps_of(self, row: Any) -> Iterator[NextStep]:
        """Yield what a person should do about `row` itself."""
        raise NotImplementedError

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        context = super().page_context(request, row) | {"subtitle": self.subtitle(row)}
        operation = carried_out_by(row, self.package_of(row), self.kinds)
        steps = [*(next_step_of(operation) if operation else ()), *self.steps_of(row)]
        context["verdict"] = redact_text(self.verdict(row))
        context = with_steps(context, steps_shown(request, self.admin_site, steps))
        return context | _progress(request, operation)

    def verdict(self, row: Any) -> str:
        """Return the sentence that says why nothing came of `row`, "" when there is none."""
        return ""

    def subtitle(self, row: Any) -> str:
        """Return what the page is about, in few words."""
        return f"{capfirst(self.opts.verbose_name)} {self.package_of(row).package_id}"

    @admin.display(description=_("state"))
    def state_badge(self, row: Any) -> SafeString:
        return state_badge(row)

    @admin.display(description=_("answer"))
    def answer(self, row: Any) -> SafeString:
        return folded_json(row.payload)


def _progress(request: HttpRequest, operation: Operation | None) -> dict[str, Any]:
    # What is done shows in the row itself.
    if operation is None or operation.state == OperationState.DONE:
        return {}
    return {
        "progress": progress_of(request, operation),
        "reload_after": reload_after(operation),
    }


def with_policies(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Return `rows` with the names of their policies read in one query."""
    return rows.prefetch_related(NAMES_OF_POLICIES)
