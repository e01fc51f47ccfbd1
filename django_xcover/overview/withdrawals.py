"""A booking that can be withdrawn from, for a guest's page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django_xcover.models import Cancellation, Quote, QuotePackage, Withdrawal
from django_xcover.overview.policies import PolicySummary, policy_rows, summarise
from django_xcover.policies.cancellation import eligibility
from django_xcover.policies.withdrawal import may_withdraw


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawableBooking:
    """A booking with its policies.

    `cancellable` are the policies that can be cancelled now, and `stated` the cancellations with a
    statement of withdrawal.
    """

    package: QuotePackage
    quotes: Sequence[Quote]
    policies: tuple[PolicySummary, ...]
    cancellable: tuple[PolicySummary, ...]
    stated: Sequence[Cancellation]
    may_withdraw: bool


def withdrawable(package: QuotePackage) -> WithdrawableBooking:
    """Return what can be, and has been, withdrawn from in `package`. No call to XCover."""
    quotes = list(policy_rows().filter(package=package).order_by("position"))
    free, _obstacles = eligibility.split(package, quotes, unbooked=True)
    stated = Withdrawal.objects.filter(cancellation__package=package).select_related("cancellation")
    return WithdrawableBooking(
        package=package,
        quotes=quotes,
        policies=tuple(map(summarise, quotes)),
        cancellable=tuple(map(summarise, free)),
        stated=[row.cancellation for row in stated],
        may_withdraw=may_withdraw(package),
    )
