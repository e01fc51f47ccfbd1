"""Modifications in the admin: what is to change, what it costs, and how far it is."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
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
from django_xcover.models import Modification, OperationKind
from django_xcover.services import modifying
from django_xcover.services.after_sale import difference_text, modification_steps
from django_xcover.services.next_steps import NextStep


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

    def steps_of(self, row: Modification) -> Iterator[NextStep]:
        return modification_steps(row)

    def verdict(self, row: Modification) -> str:
        return modifying.refusal_of(row)

    @admin.display(description=_("modification"))
    def what(self, row: Modification) -> str:
        return row.update_id or str(_("Details of the policyholder"))

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
    """Yield each new value in a line; of the policyholder's details only which they are."""
    for quote in row.changes.get("quotes", ()):
        for path, value in leaves(redact(quote.get("update_fields", {}))):
            yield (f"{name_of(path)}: {value}",)
    for name in row.changes.get("policyholder", {}):
        yield (str(NAMES.get(name, name)),)
