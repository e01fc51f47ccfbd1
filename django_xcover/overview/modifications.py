"""A change of a booking for the shopper: its cost, progress and outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django_xcover import payments
from django_xcover.formats import format_amount
from django_xcover.models import Modification, OperationKind, Quote
from django_xcover.overview.progress import Progress, progress_of
from django_xcover.policies.modification import refusal_of
from django_xcover.policies.modification.texts import field_in_words, is_readable, label_of
from django_xcover.types import Due, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ModificationView:
    """One change. `direction` is the kind of the difference: "charge", "refund" or "none".

    `changes` has the requested new values, as pairs of name and value, until the change is over.
    The prices are those of the whole booking; if it has several policies, `policy` names the one
    that changes, else it is "". The difference has no sign. `due` is None unless a payment is due
    now, and `refusal` is "" unless XCover refused the change.
    """

    pk: int
    state: str
    direction: str
    policy: str
    changes: tuple[tuple[str, str], ...]
    before_formatted: str
    after_formatted: str
    difference_formatted: str
    refusal: str
    due: Due | None
    progress: Progress


def view_of(modification: Modification) -> ModificationView:
    """Return the shopper's view of `modification`. No call to XCover."""
    difference, currency = modification.difference, modification.currency
    return ModificationView(
        pk=modification.pk,
        state=modification.state,
        direction=direction_of(difference),
        policy=_policy(modification),
        changes=tuple(_changes(modification)),
        before_formatted=format_amount(Money(modification.price_before, currency)),
        after_formatted=format_amount(Money(modification.price_after, currency)),
        difference_formatted=format_amount(Money(abs(difference.amount), currency)),
        refusal=refusal_of(modification),
        due=payments.of_modification(modification),
        progress=progress_of(modification.package, OperationKind.MODIFY, modification),
    )


def direction_of(difference: Money) -> str:
    """Return "charge", "refund" or "none"."""
    if not difference.amount:
        return "none"
    return "charge" if difference.amount > 0 else "refund"


def _policy(modification: Modification) -> str:
    booked = modification.package.quotes.booked()
    named = [row for row in booked if row.quote_id in modification.quote_ids]
    return ", ".join(row.label or row.policy_name for row in named) if len(booked) > 1 else ""


def _changes(modification: Modification) -> Iterator[tuple[str, str]]:
    """Yield the new values that are readable as text; lists and objects aren't."""
    requested = modification.requested
    for name, value in requested.policyholder.items():
        if is_readable(value):
            yield str(label_of(name)), str(value)
    types = _policy_types(modification) if requested.policies else {}
    for policy in requested.policies:
        for name, value in policy.update_fields.items():
            if is_readable(value):
                known = types.get(policy.quote_id, "")
                yield field_in_words(known, name, value, modification.currency)


def _policy_types(modification: Modification) -> dict[str, str]:
    rows = Quote.objects.filter(package=modification.package_id)
    return dict(rows.values_list("quote_id", "policy_type"))
