"""Cancellations as shown to the shopper, and what a guest can withdraw from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from django_xcover.formats import format_amount
from django_xcover.models import Cancellation, OperationKind, Quote, QuotePackage, Withdrawal
from django_xcover.overview.policies import PolicySummary, policy_rows, summarise
from django_xcover.overview.progress import Progress, progress_of
from django_xcover.policies import refunds
from django_xcover.policies.cancellation import eligibility, refusal_of
from django_xcover.policies.withdrawal import may_withdraw
from django_xcover.types import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRefund:
    """The refund of one policy. `withdrawable_until` is the end of its cooling-off period.

    `refund` is None until XCover has named it.
    """

    title: str
    refund: Money | None
    withdrawable_until: datetime | None

    @property
    def refund_formatted(self) -> str:
        """Return the refund in the reader's format, or ""."""
        return _formatted(self.refund)

    @property
    def is_withdrawal(self) -> bool:
        """Return whether the shopper can still withdraw without giving a reason."""
        return self.withdrawable_until is not None and timezone.now() < self.withdrawable_until


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationView:
    """One cancellation.

    `refusal` explains why nothing was cancelled, or is "". `refunded` is what the shop has
    refunded. `withdrawal` is the customer's statement, or None. `may_withdraw` is whether the
    withdrawal period may still be running, and `is_unbooked` whether some of the cover is agreed
    but not in force yet.
    """

    pk: int
    reference: str
    state: str
    refusal: str
    lines: tuple[PolicyRefund, ...]
    refund: Money | None
    refunded: Money | None
    confirm_before: datetime | None
    confirmed_at: datetime | None
    progress: Progress
    withdrawal: Withdrawal | None
    may_withdraw: bool
    is_unbooked: bool

    @property
    def refund_formatted(self) -> str:
        """Return the refund in the reader's format, or ""."""
        return _formatted(self.refund)

    @property
    def refunded_formatted(self) -> str:
        """Return what the shop has refunded in the reader's format, or ""."""
        return _formatted(self.refunded)

    @property
    def is_draft(self) -> bool:
        """Return whether it waits for the shopper's confirmation without showing a refund."""
        return self.state == Cancellation.State.DRAFT

    @property
    def is_withdrawal(self) -> bool:
        """Return whether all its policies are in their cooling-off period."""
        return bool(self.lines) and all(line.is_withdrawal for line in self.lines)

    @property
    def owes_refund(self) -> bool:
        """Return whether the shop still has to refund something."""
        return bool(self.refund and self.refund.amount) and self.refunded is None


def view_of(cancellation: Cancellation) -> CancellationView:
    """Return the shopper's view of `cancellation`. Four queries, no call to XCover."""
    quotes = cancellation.quotes.select_related("package").defer("request", "package__payload")
    return CancellationView(
        pk=cancellation.pk,
        reference=cancellation.cancellation_id,
        state=cancellation.state,
        refusal=refusal_of(cancellation),
        lines=tuple(_line(line) for line in refunds.lines_of(cancellation)),
        refund=cancellation.refund,
        refunded=_refunded(cancellation),
        confirm_before=cancellation.confirm_before,
        confirmed_at=cancellation.confirmed_at,
        progress=progress_of(cancellation.package, OperationKind.CANCEL, cancellation),
        withdrawal=Withdrawal.objects.filter(cancellation=cancellation).first(),
        may_withdraw=may_withdraw(cancellation.package),
        is_unbooked=any(map(eligibility.is_unbooked, quotes)),
    )


def _line(line: refunds.RefundLine) -> PolicyRefund:
    return PolicyRefund(
        title=line.label or line.name,
        refund=line.refund,
        withdrawable_until=line.cooling_off_until,
    )


def _refunded(cancellation: Cancellation) -> Money | None:
    amount = cancellation.refunded
    return None if amount is None else Money(amount, cancellation.currency)


def _formatted(amount: Money | None) -> str:
    return "" if amount is None else format_amount(amount)


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
