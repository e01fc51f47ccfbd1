"""A change of a booking as a shopper reads it: what it costs, the wait, the outcome."""

from __future__ import annotations

from dataclasses import dataclass

from django_xcover.models import Modification, OperationKind
from django_xcover.services import dues, modifying
from django_xcover.services.amounts import format_amount
from django_xcover.services.my_cover.progress import Progress, progress_of
from django_xcover.types import Due, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ModificationView:
    """One change. `direction` says what its difference is: "charge", "refund" or "none".

    `difference_formatted` has no sign. `due` is None unless something is to be paid now, `refusal`
    "" unless XCover did not make the change.
    """

    pk: int
    state: str
    direction: str
    before_formatted: str
    after_formatted: str
    difference_formatted: str
    refusal: str
    due: Due | None
    progress: Progress


def view_of(modification: Modification, label: str) -> ModificationView:
    """Return what a shopper is shown of `modification`. No vendor call."""
    difference, currency = modification.difference, modification.currency
    return ModificationView(
        pk=modification.pk,
        state=modification.state,
        direction=direction_of(difference),
        before_formatted=format_amount(Money(modification.price_before, currency)),
        after_formatted=format_amount(Money(modification.price_after, currency)),
        difference_formatted=format_amount(Money(abs(difference.amount), currency)),
        refusal=modifying.refusal_of(modification),
        due=dues.of_modification(modification, label),
        progress=progress_of(modification.package, OperationKind.MODIFY, modification),
    )


def direction_of(difference: Money) -> str:
    """Return whether the shopper pays more, gets something back, or neither."""
    if not difference.amount:
        return "none"
    return "charge" if difference.amount > 0 else "refund"
