"""Link renewed policies to the policies they replace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django_xcover.models import Choice, Quote, QuotePackage, Renewal, Status

# In these states the customer has not accepted the next period, whatever XCover does.
GIVEN_UP = (Renewal.State.OPTING_OUT, Renewal.State.OPTED_OUT, Renewal.State.EXPIRED)
# A policy in one of these statuses isn't the next period. One that XCover doesn't document may be.
NO_SUCCESSOR = frozenset(Status) - {Status.CONFIRMED}


def link_successors(package: QuotePackage, prices: Mapping[str, Decimal] | None = None) -> set[str]:
    """Link each new policy of `package` to the cart line of the policy it replaces.

    XCover gives the next period new quotes that don't name a predecessor, so they are matched by
    type and order. `prices` are the prices the customer paid, by quote id; where one is missing,
    XCover's booked price is used. No decision is recorded: the choice was not made on one of our
    pages, and the renewal records the payment.

    A policy whose renewal was declined or never paid passes on no acceptance. Returns the ids of
    policies that renewed such a policy anyway, because XCover may charge for them.
    """
    prices, unwanted = prices or {}, set()
    earlier, renewals = _not_followed(package), list(package.renewals.order_by("due_on"))
    for policy in package.quotes.exclude(status__in=NO_SUCCESSOR).order_by("position"):
        predecessor = None if policy.choice else _take_predecessor(policy, earlier)
        if predecessor is not None and _is_given_up(predecessor, renewals):
            unwanted.add(policy.quote_id)
        elif predecessor is not None or policy.quote_id in prices:
            _take_over(policy, predecessor, prices.get(policy.quote_id, policy.price))
    return unwanted


def _not_followed(package: QuotePackage) -> list[Quote]:
    """Return the accepted, renewed policies that have no successor yet, the latest first.

    Each policy has at most one successor. Any further policy XCover reports was not accepted by the
    customer.
    """
    chosen = [row for row in package.quotes.booked().order_by("position") if was_chosen(row)]
    renewed = [row for row in chosen if row.status == Status.RENEWED]
    free = [row for row in renewed if not _is_followed(row, chosen)]
    return sorted(free, key=lambda row: row.policy_end_date or row.created_at, reverse=True)


def _is_followed(policy: Quote, chosen: Iterable[Quote]) -> bool:
    """Return whether a later one of `chosen` has taken over the cart line of `policy`."""
    line = policy.policy_type, policy.line_reference
    return any(
        row.position > policy.position and (row.policy_type, row.line_reference) == line
        for row in chosen
    )


def was_chosen(policy: Quote) -> bool:
    """Return whether the customer accepted `policy`, or paid for it.

    A renewed policy without a predecessor in the mirror has the price paid, but no choice.
    """
    is_paid = not policy.choice and policy.chosen_price is not None
    return policy.choice == Choice.ACCEPTED or is_paid


def _take_predecessor(policy: Quote, earlier: list[Quote]) -> Quote | None:
    for row in earlier:
        if row.policy_type == policy.policy_type:
            earlier.remove(row)
            return row
    return None


def _is_given_up(policy: Quote, renewals: Sequence[Renewal]) -> bool:
    """Return whether the renewal of `policy` was given up; `renewals` are the package's, in order.

    A renewal covers all policies of a booking that end soon, and is due when the first one ends.
    """
    ends = policy.policy_end_date
    about = [row for row in renewals if ends is None or row.due_on <= ends]
    return bool(about) and about[-1].state in GIVEN_UP


def _take_over(policy: Quote, earlier: Quote | None, price: Decimal) -> None:
    policy.chosen_price = price
    if earlier is not None:
        policy.choice = Choice.ACCEPTED
        policy.line_reference = earlier.line_reference
        policy.label = earlier.label
        policy.request = earlier.request
    policy.save()
