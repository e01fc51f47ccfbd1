"""Modifications in the admin: what is to change, what it costs, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.base import section
from django_xcover.admin.change_forms import NAMES
from django_xcover.admin.columns import WITHOUT_KEYS, folded_json
from django_xcover.admin.filters import CreatedFilter, PackageAccountFilter, SettlementFilter
from django_xcover.admin.leaves import leaves, name_of
from django_xcover.admin.modifying import Abandon, Settle
from django_xcover.admin.redaction import redact
from django_xcover.admin.texts import amount
from django_xcover.admin.workflows import WorkflowAdmin
from django_xcover.models import Modification, OperationKind, Quote
from django_xcover.services import modifying
from django_xcover.services.after_sale import difference_text, modification_steps
from django_xcover.services.modifying.wording import change_in_words
from django_xcover.services.next_steps import NextStep

# What is told of the policies, without the vendor's answers.
POLICIES = Prefetch("package__quotes", Quote.objects.defer("payload").order_by("position"))


@admin.register(Modification)
class ModificationAdmin(WorkflowAdmin):
    """Modifications. The page of a quoted one is where its difference is settled."""

    kinds = (OperationKind.MODIFY,)
    vendor_id = "update_id"
    acts = (Settle(), Abandon())
    list_display = (
        "what",
        "order",
        "state_badge",
        "difference_shown",
        "origin",
        "created_at",
    )
    list_filter = ("state", SettlementFilter, PackageAccountFilter, CreatedFilter)
    personal = frozenset({"changes_shown", "answer"})
    fieldsets = (
        section(None, "state_badge", "what_changes", ("order", "package_link"), "origin"),
        section(
            _("Price"),
            ("before_shown", "after_shown"),
            "difference_text",
            ("settled_at", "settlement_reference"),
        ),
        section(
            _("For XCover's support"),
            "update_id",
            ("created_at", "confirmed_at", "updated_at"),
            "changes_shown",
            "answer",
            note=WITHOUT_KEYS,
            folded=True,
        ),
    )
    readonly_fields = (
        "state_badge",
        "what_changes",
        "order",
        "package_link",
        "before_shown",
        "after_shown",
        "difference_text",
        "changes_shown",
        "answer",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related(POLICIES)

    def steps_of(self, row: Modification) -> Iterator[NextStep]:
        return modification_steps(row)

    def subtitle(self, row: Modification) -> str:
        return self.what(row)

    def verdict(self, row: Modification) -> str:
        return modifying.refusal_of(row)

    @admin.display(description=_("modification"))
    def what(self, row: Modification) -> str:
        told = "; ".join(_policies(row)) or row.update_id
        return told or str(_("Details of the policyholder"))

    @admin.display(description=_("difference"))
    def difference_shown(self, row: Modification) -> str:
        return difference_text(row.difference)

    @admin.display(description=_("difference"))
    def difference_text(self, row: Modification) -> str:
        return difference_text(row.difference)

    @admin.display(description=_("price before"))
    def before_shown(self, row: Modification) -> str:
        return amount(row.price_before, row.currency)

    @admin.display(description=_("price after"))
    def after_shown(self, row: Modification) -> str:
        return amount(row.price_after, row.currency)

    @admin.display(description=_("what changes"))
    def what_changes(self, row: Modification) -> SafeString | str:
        return format_html_join(mark_safe("<br>"), "{}", _changes(row)) or "-"

    @admin.display(description=_("changes"))
    def changes_shown(self, row: Modification) -> SafeString:
        return folded_json(row.changes)


def _changes(row: Modification) -> Iterator[tuple[str]]:
    """Yield each policy with its new values, what is inside others in a line of its own.

    Of the policyholder's details only which they are.
    """
    yield from ((told,) for told in _policies(row))
    for fields in _new_fields(row).values():
        for path, value in leaves(fields):
            if len(path) > 1:
                yield (f"{name_of(path)}: {value}",)
    for name in row.changes.get("policyholder", {}):
        yield (str(NAMES.get(name, name)),)


def _policies(row: Modification) -> Iterator[str]:
    """Yield in words what changes of each policy, and only which one it was when it is over."""
    fields = _new_fields(row)
    for quote in row.package.quotes.all():
        if quote.quote_id in fields:
            new, old = fields[quote.quote_id], redact(quote.request)
            yield change_in_words(quote, new, old, row.currency)


def _new_fields(row: Modification) -> dict[str, Any]:
    quotes = row.changes.get("quotes", ())
    return {quote["id"]: redact(quote.get("update_fields", {})) for quote in quotes}
