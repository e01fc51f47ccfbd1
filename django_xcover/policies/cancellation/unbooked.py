"""Withdrawing from cover that is agreed and not in force yet."""

from __future__ import annotations

from collections.abc import Sequence

from django_xcover.booking import take_back as taking_back
from django_xcover.exceptions import BeingCancelled
from django_xcover.mirror import decisions
from django_xcover.models import Cancellation, OperationKind, Quote, QuotePackage
from django_xcover.outbox import operations
from django_xcover.outbox.transitions import move
from django_xcover.policies.cancellation import outcome


def withdraw(package: QuotePackage, cancellation: Cancellation, quotes: Sequence[Quote]) -> None:
    """Carry out a draft of which `quotes` are not in force yet; the others may be.

    What was not sent to XCover yet is not booked, and what the shop charged for it is owed at once.
    Where something is in force, or may come into force, XCover is asked to cancel it, right behind
    the booking. Call it in a transaction that holds the package's lock.
    """
    if not move(cancellation, Cancellation.State.REQUESTED, field="state"):
        raise BeingCancelled
    doubtful = taking_back.take_back(package, quotes, decisions.WITHDREW)
    if doubtful or cancellation.quotes.count() > len(quotes):
        subject = str(cancellation.pk)
        following = operations.enqueue(package, OperationKind.CANCEL, subject=subject)
        taking_back.give_time(following, doubtful)
    else:
        outcome.conclude(package, cancellation, stated=True)
