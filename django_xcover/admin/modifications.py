"""The admin of modifications: the changes, their price and progress."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext_lazy
from django.utils.translation import gettext_lazy as _

from django_xcover.admin.common.base import section
from django_xcover.admin.common.display import WITHOUT_KEYS, amount, folded_json, policies_text
from django_xcover.admin.common.filters import CreatedFilter, PackageAccountFilter, SettlementFilter
from django_xcover.admin.common.forms import (
    NAMES,
    DetailsForm,
    PolicyForm,
    ReferenceField,
    leaves,
    name_of,
)
from django_xcover.admin.common.redaction import redact
from django_xcover.admin.common.row_actions import Outcome, RowAction
from django_xcover.admin.common.workflows import WorkflowAdmin
from django_xcover.models import Modification, OperationKind, Policy, Quote, QuotePackage, Status
from django_xcover.policies import modification
from django_xcover.policies.modification.texts import change_in_words
from django_xcover.support.follow_ups import difference_text, modification_steps
from django_xcover.support.next_steps import NextStep

STAFF = "staff"
State = Modification.State


class ChangeDetails(RowAction):
    """Change the policyholder's details, which is free."""

    name = "details"
    label = gettext_lazy("Change policyholder…")
    button = gettext_lazy("Change the details")
    permission = "modify_policy"
    note = gettext_lazy("Leave fields empty to keep their values. The price doesn't change.")
    shows_people = True

    def fits(self, row: QuotePackage) -> bool:
        return row.status == Status.CONFIRMED

    def form(self, row: QuotePackage, data: Any = None) -> forms.Form:
        return DetailsForm(row, data)

    def carry_out(self, request: HttpRequest, row: QuotePackage, values: dict[str, Any]) -> Outcome:
        change = modification.change_details(row, values, origin=STAFF)
        text = _("Details of %(package)s are being changed: %(fields)s.")
        context = {"package": row.package_id, "fields": ", ".join(sorted(values))}
        return Outcome(sentence=text % context, leads_to=change)


class PriceChange(RowAction):
    """Ask XCover for the price of a change to the insured items. Nothing is changed yet."""

    name = "price"
    label = gettext_lazy("Change what is insured…")
    button = gettext_lazy("Show the difference")
    permission = "modify_policy"
    note = gettext_lazy(
        "This doesn't change anything yet. The next page shows the price difference and asks for "
        "confirmation."
    )
    asks_xcover = True
    shows_people = True

    def fits(self, row: Policy) -> bool:
        return row.status == Status.CONFIRMED and any(leaves(row.request))

    def form(self, row: Policy, data: Any = None) -> forms.Form:
        return PolicyForm(row, data)

    def carry_out(self, request: HttpRequest, row: Policy, values: dict[str, Any]) -> Outcome:
        change = modification.quote_change(row.package, quote=row, origin=STAFF, **values)
        text = _(
            "XCover has priced the change of %(package)s. %(difference)s Nothing is changed yet."
        )
        context = {
            "package": row.package.package_id,
            "difference": difference_text(change.difference),
        }
        return Outcome(sentence=text % context, leads_to=change)


class SettlementForm(forms.Form):
    reference = ReferenceField(
        help_text=gettext_lazy("The reference of the extra payment or refund in the shop.")
    )


class Settle(RowAction):
    """Confirm a priced change after its difference is settled. It doesn't move money."""

    name = "settle"
    label = gettext_lazy("Confirm the change…")
    button = gettext_lazy("The difference is settled: change the cover")
    permission = "modify_policy"
    is_final = True

    def fits(self, row: Modification) -> bool:
        return row.state == State.QUOTED

    def note_for(self, row: Modification) -> str:
        text = difference_text(row.difference)
        return (
            text
            + " "
            + _("Settle the difference first: this changes the cover but doesn't move any money.")
        )

    def form(self, row: Modification, data: Any = None) -> forms.Form:
        return SettlementForm(data)

    def carry_out(self, request: HttpRequest, row: Modification, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        modification.settle(row, reference=values["reference"])
        text = _("Confirmed %(change)s. A worker is sending it to XCover.")
        return Outcome(sentence=text % {"change": row}, log=is_first, leads_to=row)


class Abandon(RowAction):
    """Abandon a priced change."""

    name = "abandon"
    label = gettext_lazy("Abandon the change")
    permission = "modify_policy"

    def fits(self, row: Modification) -> bool:
        return row.state == State.QUOTED

    def carry_out(self, request: HttpRequest, row: Modification, values: dict[str, Any]) -> Outcome:
        is_first = self.fits(row)
        modification.abandon(row)
        return Outcome(sentence=_("%(change)s was abandoned.") % {"change": row}, log=is_first)


# The policies' columns for the list, without XCover's answers.
POLICIES = Prefetch("package__quotes", Quote.objects.defer("payload").order_by("position"))


@admin.register(Modification)
class ModificationAdmin(WorkflowAdmin):
    """Modifications. Staff settle the difference on the page of a quoted one."""

    kinds = (OperationKind.MODIFY,)
    vendor_id = "update_id"
    row_actions = (Settle(), Abandon())
    list_display = (
        "what",
        "order",
        "state_badge",
        "difference_shown",
        "origin",
        "created_at",
    )
    list_filter = ("state", SettlementFilter, PackageAccountFilter, CreatedFilter)
    personal = frozenset({"what", "what_changes", "changes_shown", "answer"})
    instead: ClassVar = {"what": "which", "what_changes": "which_change"}
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
        "which_change",
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

    def subtitle(self, row: Modification, *, people: bool) -> str:
        return self.what(row) if people else self.which(row)

    def verdict(self, row: Modification, *, people: bool) -> str:
        return modification.refusal_of(row, quoting=people)

    @admin.display(description=_("modification"))
    def what(self, row: Modification) -> str:
        text = "; ".join(_policies(row)) or row.update_id
        return text or str(_("Details of the policyholder"))

    @admin.display(description=_("modification"))
    def which(self, row: Modification) -> str:
        """Return which policies change, without the values."""
        fields = _new_fields(row)
        changing = [quote for quote in row.package.quotes.all() if quote.quote_id in fields]
        text = policies_text(changing) if changing else row.update_id
        return text or str(_("Details of the policyholder"))

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

    @admin.display(description=_("what changes"))
    def which_change(self, row: Modification) -> SafeString | str:
        return format_html_join(mark_safe("<br>"), "{}", _names(row)) or "-"

    @admin.display(description=_("changes"))
    def changes_shown(self, row: Modification) -> SafeString:
        return folded_json(row.changes)


def _changes(row: Modification) -> Iterator[tuple[str]]:
    """Yield each policy with its new values; nested values get a line each.

    For the policyholder's details it yields only the names.
    """
    yield from ((text,) for text in _policies(row))
    for fields in _new_fields(row).values():
        for path, value in leaves(fields):
            if len(path) > 1:
                yield (f"{name_of(path)}: {value}",)
    for name in row.requested.policyholder:
        yield (str(NAMES.get(name, name)),)


def _names(row: Modification) -> Iterator[tuple[str]]:
    """Yield the name of each changed value, without the value."""
    for fields in _new_fields(row).values():
        yield from ((name_of(path),) for path, _value in leaves(fields))
    for name in row.requested.policyholder:
        yield (str(NAMES.get(name, name)),)


def _policies(row: Modification) -> Iterator[str]:
    """Yield a text of each policy's changes; for finished ones only the policy."""
    fields = _new_fields(row)
    for quote in row.package.quotes.all():
        if quote.quote_id in fields:
            new, old = fields[quote.quote_id], redact(quote.request)
            yield change_in_words(quote, new, old, row.currency)


def _new_fields(row: Modification) -> dict[str, Any]:
    return {policy.quote_id: redact(policy.update_fields) for policy in row.requested.policies}
