"""The policies of a new period take over what the shop knows of those they follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from django_xcover.models import Choice, Quote, QuotePackage, Renewal, Status

# After one of these nobody has said yes to the next period, whatever XCover does.
GIVEN_UP = (Renewal.State.OPTING_OUT, Renewal.State.OPTED_OUT, Renewal.State.EXPIRED)


def adopt(package: QuotePackage, prices: Mapping[str, Decimal] | None = None) -> set[str]:
    """Join each new policy of `package` to the cart line of the policy it follows.

    XCover gives the next period quotes of its own, which name no predecessor: type and order tell.
    `prices` are those the customer paid, by quote id; without one, what XCover booked it at. No
    decision is recorded: the choice was not made on a page of ours, and the payment is on record
    with the renewal.

    A policy whose renewal was declined, or never paid, inherits no yes. The ids of those that
    follow one all the same are returned: XCover may charge for them.
    """
    prices, unwanted = prices or {}, set()
    earlier, renewals = _not_followed(package), list(package.renewals.order_by("due_on"))
    for policy in package.quotes.filter(status=Status.CONFIRMED).order_by("position"):
        predecessor = None if policy.choice else _take_predecessor(policy, earlier)
        if predecessor is not None and _is_given_up(predecessor, renewals):
            unwanted.add(policy.quote_id)
        elif predecessor is not None or policy.quote_id in prices:
            _take_over(policy, predecessor, prices.get(policy.quote_id, policy.price))
    return unwanted


def _not_followed(package: QuotePackage) -> list[Quote]:
    """Return the renewed policies that somebody said yes to and none follows yet, the latest first.

    A policy is followed once: what XCover shows beyond that is nobody's yes.
    """
    chosen = [row for row in package.quotes.booked().order_by("position") if _was_chosen(row)]
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


def _was_chosen(policy: Quote) -> bool:
    # One that followed none in the mirror has the price that was paid, and no choice.
    is_paid = not policy.choice and policy.chosen_price is not None
    return policy.choice == Choice.ACCEPTED or is_paid


def _take_predecessor(policy: Quote, earlier: list[Quote]) -> Quote | None:
    for row in earlier:
        if row.policy_type == policy.policy_type:
            earlier.remove(row)
            return row
    return None


def _is_given_up(policy: Quote, renewals: Sequence[Renewal]) -> bool:
    """Return whether the renewal of `policy` was; `renewals` are the package's, in order.

    One covers all policies of a booking that end soon, and is due when the first of them ends.
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
