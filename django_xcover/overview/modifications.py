"""Changes of a policy as shown to the shopper, and the insured value with its new price."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from django_xcover import exceptions, payments
from django_xcover.exceptions import ValueNotChangeable
from django_xcover.formats import format_amount
from django_xcover.models import Cancellation, Modification, OperationKind, Quote, Status
from django_xcover.overview.progress import Progress, progress_of
from django_xcover.policies import modification
from django_xcover.policies.modification import refusal_of
from django_xcover.policies.modification.texts import (
    amount_of,
    field_in_words,
    is_readable,
    label_of,
    worth_of,
)
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
    rows = Quote.objects.filter(package=modification.package_id)
    types = dict(rows.values_list("quote_id", "policy_type")) if requested.policies else {}
    for policy in requested.policies:
        for name, value in policy.update_fields.items():
            if is_readable(value):
                known = types.get(policy.quote_id, "")
                yield field_in_words(known, name, value, modification.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class InsuredValue:
    """The field `name` of a policy, in `currency`."""

    name: str
    currency: str
    amount: Decimal

    @property
    def formatted(self) -> str:
        """Return the amount formatted for the active language."""
        return format_amount(Money(self.amount, self.currency))


def insured_value(quote: Quote) -> InsuredValue | None:
    """Return the value that the shopper may change, or None."""
    name = worth_of(quote.policy_type)
    amount = amount_of(quote.request.get(name))
    if quote.status != Status.CONFIRMED or amount is None:
        return None
    return InsuredValue(name=name, currency=quote.package.currency, amount=amount)


def quote_value(quote: Quote, amount: Decimal) -> Modification:
    """Return XCover's price for insuring `amount`; repeating it returns the same open change.

    Takes at most five seconds; don't call it in a transaction. Raises ValueNotChangeable,
    NothingToChange, and the exceptions of `modification.quote_change`.
    """
    value = insured_value(quote)
    if value is None:
        raise ValueNotChangeable
    if value.amount == amount:
        raise exceptions.NothingToChange
    wanted = {value.name: amount}
    return modification.open_change(quote, wanted) or modification.quote_change(
        quote.package, quote=quote, update_fields=wanted, origin=Cancellation.Origin.SHOPPER
    )
