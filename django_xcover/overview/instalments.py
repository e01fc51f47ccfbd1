"""The instalments of one policy, for the shopper."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from django_xcover import payments
from django_xcover.formats import format_amount
from django_xcover.models import Instalment, Quote
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.types import Due, Money


class PartState(models.TextChoices):
    """The state of one payment; XCover's own statuses don't depend on the date."""

    PAID = "paid", _("paid")
    FAILED = "failed", _("payment failed")
    OVERDUE = "overdue", _("overdue")
    NEXT = "next", _("next payment")
    LATER = "later", _("to come")
    NOT_DUE = "not_due", _("no longer due")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One payment. `due` is the day on which its period begins."""

    number: int
    amount: Money
    due: datetime
    state: PartState

    @property
    def amount_formatted(self) -> str:
        """Return the amount in the reader's format."""
        return format_amount(self.amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """All payments of a policy. `next` is the number of the first unpaid one, 0 if all are paid.

    `due` is that payment, for the shop to collect. `is_over` means that the policy is no longer in
    force, so nothing more has to be paid.
    """

    parts: tuple[Part, ...]
    next: int
    due: Due | None
    paid: Money
    left: Money
    is_over: bool = False

    @property
    def paid_formatted(self) -> str:
        """Return what is paid in the reader's format."""
        return format_amount(self.paid)

    @property
    def left_formatted(self) -> str:
        """Return what is left to pay in the reader's format."""
        return format_amount(self.left)

    @property
    def next_part(self) -> Part | None:
        """Return the part to pay next."""
        return next((part for part in self.parts if part.number == self.next), None)

    @property
    def paid_count(self) -> int:
        """Return the number of paid parts."""
        return sum(part.state == PartState.PAID for part in self.parts)


def schedule_of(quote: Quote) -> Schedule | None:
    """Return the schedule of `quote`, or None if it is not paid by instalments.

    An instalment that the shop reported as paid is paid, even if XCover hasn't been notified yet.
    The totals are those of the schedule. XCover rounds up each part (recorded), so they differ from
    the price.
    """
    rows = list(quote.instalments.select_related("quote__package").order_by("number"))
    if not rows:
        return None
    is_over = quote.status not in COLLECTED_FOR
    unpaid = [] if is_over else [row for row in rows if row.is_open]
    following = unpaid[0] if unpaid else None
    return Schedule(
        parts=tuple(_part(row, following) for row in rows),
        next=following.number if following else 0,
        due=payments.of_instalment(following) if following else None,
        paid=_sum([row for row in rows if not row.is_open], rows[0].currency),
        left=_sum(unpaid, rows[0].currency),
        is_over=is_over,
    )


def _part(row: Instalment, following: Instalment | None) -> Part:
    return Part(
        number=row.number,
        amount=row.amount,
        due=row.period_start_date,
        state=_unpaid_state(row, following) if row.is_open else PartState.PAID,
    )


def _unpaid_state(row: Instalment, following: Instalment | None) -> PartState:
    if row.quote.status not in COLLECTED_FOR:
        return PartState.NOT_DUE
    if row.status == Instalment.Status.FAILED:
        return PartState.FAILED
    if row.period_start_date < timezone.now():
        return PartState.OVERDUE
    return PartState.NEXT if row is following else PartState.LATER


def _sum(rows: Iterable[Instalment], currency: str) -> Money:
    return Money(sum((row.total_amount for row in rows), Decimal(0)), currency)
