"""Withdraw from cover that is agreed but not in force yet."""

from __future__ import annotations

from collections.abc import Sequence

from django_xcover.booking import take_back
from django_xcover.exceptions import BeingCancelled
from django_xcover.mirror import decisions
from django_xcover.models import Cancellation, OperationKind, Quote, QuotePackage
from django_xcover.outbox import operations
from django_xcover.outbox.transitions import transition
from django_xcover.policies.cancellation import outcome


def withdraw(package: QuotePackage, cancellation: Cancellation, quotes: Sequence[Quote]) -> None:
    """Carry out a draft whose `quotes` are not in force yet; its other policies may be.

    Quotes that weren't sent to XCover aren't booked, and the shop owes their premium at once.
    Policies that are in force, or may come into force, are cancelled at XCover after the booking.
    Call it in a transaction that holds the package's lock.
    """
    if not transition(cancellation, Cancellation.State.REQUESTED, field="state"):
        raise BeingCancelled
    doubtful = take_back.take_back(package, quotes, decisions.WITHDREW)
    if doubtful or cancellation.quotes.count() > len(quotes):
        subject = str(cancellation.pk)
        following = operations.enqueue(package, OperationKind.CANCEL, subject=subject)
        take_back.give_time(following, doubtful)
    else:
        outcome.conclude(package, cancellation, stated=True)
