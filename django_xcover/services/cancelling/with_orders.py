"""An order, or lines of it, cancelled or returned in the shop: what becomes of their cover."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from django_xcover.adapters import get_adapter
from django_xcover.models import (
    Cancellation,
    Choice,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.models.operation import PAYING
from django_xcover.services import booking, card_numbers, cart_packages, decisions, operations
from django_xcover.services.cancelling import cancellable, requesting

REASON = "The order was cancelled."
SHOP = Cancellation.Origin.SHOP


def cancel_order(order: Any, lines: Iterable[str] | None = None, reason: str = "") -> None:
    """Cancel the cover of `order`, or of the lines with these references.

    Policies are cancelled; what is chosen and not booked yet is taken back. Talks to nobody, runs
    in the shop's transaction, and may be repeated freely. A reason that holds a card number is left
    out.
    """
    reason = "" if card_numbers.holds_card_number(reason) else reason
    reference = get_adapter().get_order_reference(order)
    named = None if lines is None else _references(lines)
    with transaction.atomic():
        packages = QuotePackage.objects.locked().for_order(reference)
        for package in packages.order_by("pk"):
            _cancel_in(package, named, reason)


def cancel_withdrawn(package: QuotePackage, status: Status = Status.CONFIRMED) -> None:
    """Have cancelled what was taken back, and is in force all the same.

    A booking may have been on its way, or its outcome in doubt, when its order was cancelled. And
    XCover confirms a pending booking as a whole: with PENDING_PAYMENT what is no longer wanted is
    cancelled right behind the confirmation. Call it with the package's lock.
    """
    withdrawn = package.quotes.filter(choice=Choice.WITHDRAWN, status=status)
    under_way = cancellable.being_cancelled(package)
    quotes = [quote for quote in withdrawn if quote.pk not in under_way]
    if quotes:
        requesting.enqueue(package, quotes, origin=SHOP, reason=REASON)


def _references(lines: Iterable[str]) -> set[str]:
    """Return the references; a text on its own is one, not an iterable of letters."""
    return {lines} if isinstance(lines, str) else {str(line) for line in lines}


def _cancel_in(package: QuotePackage, lines: set[str] | None, reason: str) -> None:
    quotes = [
        quote
        for quote in cart_packages.lock_quotes(package)
        if lines is None or quote.line_reference in lines
    ]
    policies, _reasons = cancellable.split(package, quotes)
    if policies:
        requesting.enqueue(package, policies, origin=SHOP, reason=reason)
    unbooked = (Status.RECEIVED, Status.PENDING_PAYMENT, Status.FAILED)
    chosen = [q for q in quotes if q.choice == Choice.ACCEPTED and q.status in unbooked]
    if chosen:
        _take_back(package, chosen, reason)


def _take_back(package: QuotePackage, quotes: Sequence[Quote], reason: str) -> None:
    """Withdraw choices that are no cover yet; cancel behind a booking that may make them one."""
    decisions.withdraw(quotes)
    unfinished = Operation.objects.unfinished().select_for_update()
    under_way = unfinished.filter(package=package, kind__in=PAYING).order_by("pk")
    doubtful = [operation for operation in under_way if not _is_stopped(operation, quotes)]
    if doubtful:
        following = requesting.enqueue(package, quotes, origin=SHOP, reason=reason)
        _give_time(following, doubtful)


def _is_stopped(operation: Operation, quotes: Sequence[Quote]) -> bool:
    """Keep the booking from covering `quotes`; False when it may have happened, or may now."""
    if operation.state == OperationState.RUNNING or not operation.outcome_known:
        return False
    left = cart_packages.lock_quotes(operation.package)
    if all(quote.choice != Choice.ACCEPTED for quote in left):
        return operations.discard(operation, REASON)
    return operation.kind == OperationKind.BOOK and booking.leave_out(operation, quotes)


def _give_time(following: Operation, doubtful: Iterable[Operation]) -> None:
    """Let some time pass first: a call that got no answer may still be under way at XCover."""
    if any(not operation.outcome_known for operation in doubtful):
        rows = Operation.objects.filter(pk=following.pk)
        rows.update(next_attempt_at=operations.next_attempt(1, 0))
