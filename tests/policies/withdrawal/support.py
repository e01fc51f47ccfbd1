"""What the tests of withdrawals share: both steps in Python, and time that passes."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from django_xcover.models import Cancellation, Operation, OperationKind, Quote, QuotePackage
from django_xcover.models import Withdrawal as Stated
from django_xcover.policies import withdrawal as withdrawing

PAGE = Stated.Channel.PAGE


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
