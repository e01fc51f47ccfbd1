"""Take back accepted cover that isn't booked; cover that may be booked has to be cancelled.

Used when the shop cancels an order, and when a customer withdraws.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django_xcover.booking import booking
from django_xcover.mirror import decisions
from django_xcover.models import (
    Choice,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
)
from django_xcover.models.operation import PAYING
from django_xcover.offers import carts
from django_xcover.outbox import lease, operations


def take_back(package: QuotePackage, quotes: Sequence[Quote], reason: str) -> list[Operation]:
    """Withdraw the choice of `quotes`; return the operations that may still cover them.

    Operations that weren't sent are discarded for `reason`, or continue without `quotes`. If any
    are returned, the caller enqueues a cancellation and calls `give_time`. Call it in a
    transaction that holds the package's lock.
    """
    decisions.withdraw(quotes)
    unfinished = Operation.objects.unfinished().select_for_update()
    under_way = unfinished.filter(package=package, kind__in=PAYING).order_by("pk")
    return [operation for operation in under_way if not _try_to_stop(operation, quotes, reason)]


def give_time(following: Operation, doubtful: Iterable[Operation]) -> None:
    """Delay `following` by one retry spacing if a call to XCover got no answer.

    XCover may still be carrying that call out.
    """
    if any(not operation.outcome_known for operation in doubtful):
        rows = Operation.objects.filter(pk=following.pk)
        rows.update(next_attempt_at=lease.one_retry_spacing_from_now())


def _try_to_stop(operation: Operation, quotes: Sequence[Quote], reason: str) -> bool:
    """Keep the booking from covering `quotes`; return False if it may have happened already."""
    if operation.state == OperationState.RUNNING or not operation.outcome_known:
        return False
    left = carts.lock_quotes(operation.package)
    if all(quote.choice != Choice.ACCEPTED for quote in left):
        return operations.discard(operation, reason)
    return operation.kind == OperationKind.BOOK and booking.leave_out(operation, quotes)
