"""What the tests of withdrawals share: both steps in Python, time that passes, what is owed."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from django_xcover.models import (
    Cancellation,
    Flag,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
)
from django_xcover.models import Withdrawal as Stated
from django_xcover.policies import withdrawal as withdrawing
from django_xcover.support.follow_ups import AWAITS_REFUND
from django_xcover.types import Money
from tests.conftest import the_package

PAGE = Stated.Channel.PAGE
State = Cancellation.State


def prepared(package: QuotePackage, *quotes: Quote) -> Cancellation:
    return withdrawing.prepare(package, quotes=quotes or list(package.quotes.all()))


def states(cancellation: Cancellation, **said: str) -> Stated:
    return withdrawing.withdraw(cancellation, channel=PAGE, **said)


def the_booking() -> Operation:
    return Operation.objects.get(kind=OperationKind.BOOK)


def cancels() -> int:
    return Operation.objects.filter(kind=OperationKind.CANCEL).count()


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


def line(reference: str) -> Quote:
    return Quote.objects.get(line_reference=reference)


def statuses() -> dict[str, str]:
    return dict(Quote.objects.values_list("line_reference", "status"))


def price_of(*references: str) -> Money:
    prices = [line(reference).price for reference in references]
    return Money(sum(prices[1:], prices[0]), the_package().currency)


def the_flag() -> Flag:
    return Flag.objects.open().get()


def is_owed(cancellation: Cancellation, refund: Money) -> None:
    """Assert that staff find it among the refunds to be made, with this amount."""
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.refund) == (State.CONFIRMED, refund)
    assert cancellation in Cancellation.objects.filter(AWAITS_REFUND)
