"""List the policies of a renewal. XCover renews a booking, and prices everything due in it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django_xcover.client.schemas.packages import QuoteAnswer
from django_xcover.client.schemas.policies import renewal_from_wire
from django_xcover.formats import format_amount
from django_xcover.mirror.packages import LONGEST_TYPE
from django_xcover.models import Quote, Renewal, Status
from django_xcover.policies.renewal.quoting import to_renew
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalLine:
    """One policy of a renewal with its share of the price, None until XCover has quoted it.

    `quote_id` and `label` are those of the current policy, "" if no policy matches the quote.
    """

    quote_id: str
    label: str
    name: str
    price: Money | None
    starts: datetime | None
    ends: datetime | None

    @property
    def title(self) -> str:
        """Return the label of the insured item, or the policy's name without a label."""
        return self.label or self.name

    @property
    def price_formatted(self) -> str:
        """Return the formatted price, "" if there is none."""
        return format_amount(self.price) if self.price else ""


@clears_frames
def lines_of(renewal: Renewal) -> tuple[RenewalLine, ...]:
    """Return every policy of `renewal`, with or without a price. One query.

    Before XCover has quoted a price, these are the policies that end with the period; the quote
    may include more policies of the booking.
    """
    policies = list(_present(renewal))
    if renewal.price is None:
        due = [policy for policy in policies if policy.policy_end_date == renewal.due_on]
        return tuple(_unpriced(policy) for policy in due or policies)
    quoted = to_renew(renewal_from_wire(renewal.payload))
    return tuple(_line(renewal, read, _take_present(read, policies)) for read in quoted)


def _present(renewal: Renewal) -> Iterable[Quote]:
    """Return the policies of the current period, those that end with it first."""
    rows = renewal.package.quotes.filter(
        status__in=(Status.CONFIRMED, Status.RENEWED),
        is_renewable=True,
        created_at__lte=renewal.created_at,
    )
    return sorted(rows.order_by("position"), key=lambda row: row.policy_end_date != renewal.due_on)


def _take_present(read: QuoteAnswer, policies: list[Quote]) -> Quote | None:
    """Remove and return the current policy for a quoted one: by id, else by type and end.

    The contract doesn't say whether a policy keeps its id. If it doesn't, the next period begins
    when the current one ends; the remaining policies are matched in the booking's order.
    """
    same_type = [row for row in policies if row.policy_type == read.policy_type[:LONGEST_TYPE]]
    match = next(
        (row for row in policies if row.quote_id == read.quote_id),
        next(
            (row for row in same_type if row.policy_end_date == read.policy_start_date),
            next(iter(same_type), None),
        ),
    )
    if match is not None:
        policies.remove(match)
    return match


def _line(renewal: Renewal, read: QuoteAnswer, present: Quote | None) -> RenewalLine:
    return RenewalLine(
        quote_id=present.quote_id if present else "",
        label=present.label if present else "",
        name=present.policy_name if present else read.policy_name,
        price=Money(read.price, renewal.currency),
        starts=read.policy_start_date,
        ends=read.policy_end_date,
    )


def _unpriced(policy: Quote) -> RenewalLine:
    return RenewalLine(
        quote_id=policy.quote_id,
        label=policy.label,
        name=policy.policy_name,
        price=None,
        starts=policy.policy_end_date,
        ends=None,
    )
