"""Having policies cancelled: a preview confirmed, or at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction

from django_xcover.models import Cancellation, Operation, OperationKind, Quote, QuotePackage
from django_xcover.services import card_numbers, operations
from django_xcover.services.cancelling import cancellable
from django_xcover.services.cancelling.cancellable import (
    BeingCancelled,
    NotCancellable,
    NotInForce,
    PreviewExpired,
)
from django_xcover.services.refusals import Refused
from django_xcover.services.transitions import move

State = Cancellation.State
UNDER_WAY = frozenset({State.REQUESTED, State.CONFIRMED})


def request(cancellation: Cancellation) -> Operation:
    """Confirm a preview: from here on XCover is asked until it has cancelled or refused.

    Confirmed again it returns the same operation. Raises PreviewExpired, NotCancellable, and
    BeingCancelled or AlreadyCancelled where something else cancels its policies.
    """
    with transaction.atomic():
        package = _lock(cancellation.package_id)
        cancellation.refresh_from_db()
        operation = confirm(package, cancellation)
    if operation is None:
        # Outside, so that the row stays expired.
        raise PreviewExpired
    return operation


def confirm(package: QuotePackage, cancellation: Cancellation) -> Operation | None:
    """Confirm a preview or a draft, as `request` does; None when it has expired.

    Call it in a transaction that holds the package's lock, with the row as it is now.
    """
    if cancellation.state in UNDER_WAY:
        return _operation(cancellation)
    if _expire(cancellation):
        return None
    _require_preview(cancellation)
    cancellable.choose(package, cancellation.quotes.all())
    if not move(cancellation, State.REQUESTED, field="state"):
        raise BeingCancelled
    return _enqueue(package, cancellation)


def cancel_now(
    package: QuotePackage,
    *,
    quotes: Sequence[Quote] | None = None,
    origin: Cancellation.Origin,
    reason: str = "",
) -> Operation:
    """Write that the booking, or `quotes` of it, must be cancelled, without a preview.

    Talks to nobody, so call it inside the transaction that cancels the order. What is to be
    refunded is known when XCover has answered (`policy_cancelled`). Raises NotCancellable,
    AlreadyCancelled, and CardNumberSent for one in `reason`.
    """
    card_numbers.refuse(reason, "reason")
    with transaction.atomic():
        locked = _lock(package.pk)
        wanted = cancellable.choose(locked, quotes)
        return enqueue(locked, wanted, origin=origin, reason=reason)


def enqueue(
    package: QuotePackage, quotes: Iterable[Quote], *, origin: Cancellation.Origin, reason: str = ""
) -> Operation:
    """Write that `quotes` must be cancelled, whatever has become of them until then.

    Call it in a transaction that holds the package's lock. A booking on its way goes first.
    """
    cancellation = create(package, quotes, state=State.REQUESTED, origin=origin, reason=reason)
    return _enqueue(package, cancellation)


def refusal_of(cancellation: Cancellation) -> str:
    """Return the sentence that tells why nothing was cancelled, "" when there is none."""
    reasons = {
        State.EXPIRED.value: PreviewExpired,
        State.REFUSED.value: NotCancellable,
        State.NOT_NEEDED.value: NotInForce,
    }
    reason = reasons.get(cancellation.state)
    return str(reason()) if reason else ""


def create(
    package: QuotePackage, quotes: Iterable[Quote], *, reason: str, **facts: Any
) -> Cancellation:
    """Write the row of a cancellation with its policies. Call it in a transaction."""
    longest = Cancellation._meta.get_field("reason").max_length
    facts = {"currency": package.currency, "reason": reason[:longest], **facts}
    cancellation = Cancellation.objects.create(package=package, **facts)
    cancellation.quotes.set(quotes)
    return cancellation


def _enqueue(package: QuotePackage, cancellation: Cancellation) -> Operation:
    return operations.enqueue(package, OperationKind.CANCEL, subject=str(cancellation.pk))


def _operation(cancellation: Cancellation) -> Operation:
    written = Operation.objects.filter(package=cancellation.package_id, kind=OperationKind.CANCEL)
    return written.get(subject=str(cancellation.pk))


def _lock(pk: int) -> QuotePackage:
    return QuotePackage.objects.locked().get(pk=pk)


def _expire(cancellation: Cancellation) -> bool:
    """Mark a preview that no longer holds, and return whether it is one."""
    if cancellation.state == State.PREVIEWED and cancellable.is_outdated(cancellation):
        return move(cancellation, State.EXPIRED, field="state")
    return cancellation.state == State.EXPIRED


def _require_preview(cancellation: Cancellation) -> None:
    reasons: dict[str, type[Refused]] = {
        State.REFUSED: NotCancellable,
        State.NOT_NEEDED: NotInForce,
    }
    if cancellation.state in reasons:
        raise reasons[cancellation.state]
