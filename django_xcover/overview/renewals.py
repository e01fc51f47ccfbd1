"""The renewal of a policy, for the shopper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django_xcover import payments
from django_xcover.formats import format_amount
from django_xcover.models import OperationKind, Quote, Renewal, Status
from django_xcover.overview.progress import Progress, progress_of
from django_xcover.policies.renewal import RenewalLine, confirmation, lines_of
from django_xcover.types import Due, Money

DECLINED = (Renewal.State.OPTING_OUT, Renewal.State.OPTED_OUT)
OVER = (Renewal.State.CONFIRMED, Renewal.State.OPTED_OUT, Renewal.State.EXPIRED)
KINDS = {
    Renewal.State.PAID: OperationKind.RENEW,
    Renewal.State.OPTING_OUT: OperationKind.RENEWAL_OPT_OUT,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewalView:
    """One renewal. `lines` are its policies, each with its share of the price.

    `premium` is None before it is quoted, and `due` is None unless it can be paid now.
    `renewed_anyway` means that XCover renewed although the customer declined.
    """

    pk: int
    state: str
    due_on: datetime
    premium: Money | None
    lines: tuple[RenewalLine, ...]
    starts: datetime | None
    ends: datetime | None
    due: Due | None
    renewed_anyway: bool
    progress: Progress

    @property
    def premium_formatted(self) -> str:
        """Return the premium in the reader's format, or ""."""
        return format_amount(self.premium) if self.premium else ""

    @property
    def is_over(self) -> bool:
        """Return whether there will be no next period, and so no price."""
        return self.state in {
            Renewal.State.OPTING_OUT,
            Renewal.State.OPTED_OUT,
            Renewal.State.EXPIRED,
        }

    @property
    def is_open(self) -> bool:
        """Return whether the shopper may still decide."""
        return self.state in {Renewal.State.DUE, Renewal.State.QUOTED}


def renewal_of(quote: Quote) -> Renewal | None:
    """Return the renewal to show for `quote`, or None.

    The newest one; if it is over, only if it was for the end of this policy's own period.
    """
    if quote.status not in {Status.CONFIRMED, Status.RENEWED} or not quote.is_renewable:
        return None
    renewal = quote.package.renewals.first()
    if renewal is None or (renewal.state in OVER and renewal.due_on != quote.policy_end_date):
        return None
    return renewal


def view_of(renewal: Renewal) -> RenewalView:
    """Return the shopper's view of `renewal`. No call to XCover."""
    kind = KINDS.get(Renewal.State(renewal.state))
    is_declined = renewal.state in DECLINED
    policies = renewal.package.quotes.all()
    return RenewalView(
        pk=renewal.pk,
        state=renewal.state,
        due_on=renewal.due_on,
        premium=renewal.premium,
        starts=renewal.starts_at,
        ends=renewal.ends_at,
        lines=lines_of(renewal),
        due=payments.of_renewal(renewal),
        renewed_anyway=is_declined and confirmation.is_renewed(renewal, policies),
        progress=progress_of(renewal.package, kind, renewal) if kind else Progress(),
    )
