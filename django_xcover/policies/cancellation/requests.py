"""Preview, confirm and request cancellations.

A preview says CANCELLED although nothing is cancelled (recorded contract, 4.3). It is stored in a
row of its own and never changes the package or its policies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover import validators
from django_xcover.booking import booking
from django_xcover.client import ValidationFailed, XCoverError
from django_xcover.client.connections import Deadline
from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.client.schemas.policies import CancellationAnswer, cancellation_from_wire
from django_xcover.clients import factory
from django_xcover.exceptions import (
    ActionRefused,
    BeingCancelled,
    NotCancellable,
    NotInForce,
    PreviewExpired,
)
from django_xcover.mirror import decisions, refresh
from django_xcover.models import Cancellation, Operation, OperationKind, Quote, QuotePackage
from django_xcover.models.operation import new_idempotency_key
from django_xcover.outbox import operations
from django_xcover.outbox.transitions import transition
from django_xcover.policies import refunds
from django_xcover.policies.cancellation import eligibility, outcome
from django_xcover.policies.staleness import was_paid_since
from django_xcover.tracebacks import clears_frames

State = Cancellation.State
UNDER_WAY = frozenset({State.REQUESTED, State.CONFIRMED})


@clears_frames
def request(cancellation: Cancellation) -> Operation:
    """Confirm a preview: from now on the call is retried until XCover cancels or refuses.

    Confirming again returns the same operation. Raises PreviewExpired, NotCancellable, and
    BeingCancelled or AlreadyCancelled if another cancellation covers its policies.
    """
    with transaction.atomic():
        package = _lock(cancellation.package_id)
        cancellation.refresh_from_db()
        operation = confirm(package, cancellation)
    if operation is None:
        # Raised outside the transaction, so that the expiry is kept.
        raise PreviewExpired
    return operation


def confirm(package: QuotePackage, cancellation: Cancellation) -> Operation | None:
    """Confirm a preview or a draft, as `request` does; return None if it has expired.

    Call it in a transaction that holds the package's lock, with a freshly read row.
    """
    if cancellation.state in UNDER_WAY:
        written = Operation.objects.filter(package=package, kind=OperationKind.CANCEL)
        return written.get(subject=str(cancellation.pk))
    if _expire(cancellation):
        return None
    if cancellation.state == State.REFUSED:
        raise NotCancellable
    if cancellation.state == State.NOT_NEEDED:
        raise NotInForce
    eligibility.choose(package, cancellation.quotes.all())
    if not transition(cancellation, State.REQUESTED, field="state"):
        raise BeingCancelled
    return _enqueue(package, cancellation)


@clears_frames
def cancel_now(
    package: QuotePackage,
    *,
    quotes: Sequence[Quote] | None = None,
    origin: Cancellation.Origin,
    reason: str = "",
) -> Operation:
    """Request cancellation of the booking, or of its `quotes`, without a preview.

    Makes no calls, so call it inside the transaction that cancels the order. The refund is known
    once XCover has answered (`policy_cancelled`). Raises NotCancellable, AlreadyCancelled, and
    CardNumberSent if `reason` contains a card number.
    """
    validators.refuse(reason, "reason")
    with transaction.atomic():
        locked = _lock(package.pk)
        wanted = eligibility.choose(locked, quotes)
        return enqueue(locked, wanted, origin=origin, reason=reason)


def enqueue(
    package: QuotePackage, quotes: Iterable[Quote], *, origin: Cancellation.Origin, reason: str = ""
) -> Operation:
    """Enqueue the cancellation of `quotes`, even if they change before it runs.

    Call it in a transaction that holds the package's lock. A booking in progress runs first.
    """
    cancellation = create(package, quotes, state=State.REQUESTED, origin=origin, reason=reason)
    return _enqueue(package, cancellation)


@clears_frames
def refusal_of(cancellation: Cancellation) -> str:
    """Return a sentence that explains why nothing was cancelled, "" if there is none."""
    reasons = {
        State.EXPIRED.value: PreviewExpired,
        State.REFUSED.value: NotCancellable,
        State.NOT_NEEDED.value: NotInForce,
    }
    reason = reasons.get(cancellation.state)
    return str(reason()) if reason else ""


def create(
    package: QuotePackage, quotes: Iterable[Quote], *, reason: str, **columns: Any
) -> Cancellation:
    """Create a cancellation with its policies. Call it in a transaction."""
    longest = Cancellation._meta.get_field("reason").max_length
    columns = {"currency": package.currency, "reason": reason[:longest], **columns}
    cancellation = Cancellation.objects.create(package=package, **columns)
    cancellation.quotes.set(quotes)
    return cancellation


def _enqueue(package: QuotePackage, cancellation: Cancellation) -> Operation:
    return operations.enqueue(package, OperationKind.CANCEL, subject=str(cancellation.pk))


def _lock(pk: int) -> QuotePackage:
    return QuotePackage.objects.locked().get(pk=pk)


def _expire(cancellation: Cancellation) -> bool:
    """Mark a preview as expired if it is outdated, and return whether it was."""
    if cancellation.state == State.PREVIEWED and eligibility.is_outdated(cancellation):
        return transition(cancellation, State.EXPIRED, field="state")
    return cancellation.state == State.EXPIRED


# Seconds for all calls that a user waits for.
DEADLINE = 5.0


@clears_frames
def preview(
    package: QuotePackage,
    *,
    quotes: Sequence[Quote] | None = None,
    origin: Cancellation.Origin,
    reason: str = "",
) -> Cancellation:
    """Ask XCover what cancelling means and return it; nothing is cancelled.

    Without `quotes` it covers everything in the booking that is in force. The result has the refund
    and the time limit for confirming it (`confirm_before`, recorded: 24 hours). Takes at most
    `DEADLINE` seconds; don't call it in a transaction. Raises NotCancellable or AlreadyCancelled
    with a sentence for the user, CardNumberSent if `reason` contains a card number, and XCoverError
    if XCover can't be reached.
    """
    validators.refuse(reason, "reason")
    until = Deadline.after(DEADLINE)
    while True:
        asked_at = timezone.now()
        wanted, answer = _ask(package, quotes, reason, until)
        columns = {
            **refunds.columns_of(answer),
            "cancellation_id": answer.cancellation_id,
            "confirm_before": answer.confirm_before,
        }
        with transaction.atomic():
            QuotePackage.objects.locked().get(pk=package.pk)
            # XCover's answer does not include an instalment paid during the call.
            if not was_paid_since(package, asked_at):
                return create(package, wanted, origin=origin, reason=reason, **columns)


def _ask(
    package: QuotePackage, quotes: Sequence[Quote] | None, reason: str, until: Deadline
) -> tuple[list[Quote], CancellationAnswer]:
    """Return the policies that can be cancelled, and XCover's preview.

    Raises NotCancellable or AlreadyCancelled, and XCoverError if XCover can't be reached.
    """
    wanted = _permitted(package, quotes, until)
    body = {**eligibility.body_of(wanted, reason), "preview": True}
    try:
        return wanted, _preview(package, body, until)
    except ValidationFailed as refused:
        raise _why_refused(package, quotes, until) from refused


def _permitted(
    package: QuotePackage, quotes: Sequence[Quote] | None, until: Deadline
) -> list[Quote]:
    """Return what may be cancelled. A stored refusal may be outdated, so it is refreshed first."""
    named = quotes is not None
    wanted = eligibility.choose(package, quotes)
    if any(quote.can_be_cancelled is False for quote in wanted):
        refresh.refresh_once(package, deadline=until.left_for_a_call())
        wanted = eligibility.choose(package, quotes)
    return eligibility.permitted(wanted, all_of_them=named)


def _preview(package: QuotePackage, body: dict[str, Any], until: Deadline) -> CancellationAnswer:
    wire = factory.client_for(package.account).cancel_booking(
        package.package_id,
        body,
        idempotency_key=new_idempotency_key(),
        deadline=until.left_for_a_call(),
    )
    answer = cancellation_from_wire(wire)
    if not answer.preview:
        raise UnexpectedAnswer.at("cancellation_id", "is missing")
    if answer.currency != package.currency:
        raise UnexpectedAnswer.at("currency", "is not the one that the booking was paid in")
    return answer


def _why_refused(
    package: QuotePackage, quotes: Sequence[Quote] | None, until: Deadline
) -> ActionRefused:
    """Return the reason in the user's terms, based on the current state at XCover."""
    try:
        refresh.refresh_once(package, deadline=until.left_for_a_call())
        eligibility.choose(package, quotes)
    except ActionRefused as reason:
        return reason
    except XCoverError:
        return NotCancellable()
    return NotCancellable()


def withdraw(package: QuotePackage, cancellation: Cancellation, quotes: Sequence[Quote]) -> None:
    """Carry out a draft whose `quotes` are not in force yet; its other policies may be.

    Quotes that weren't sent to XCover aren't booked, and the shop owes their premium at once.
    Policies that are in force, or may come into force, are cancelled at XCover after the booking.
    Call it in a transaction that holds the package's lock.
    """
    if not transition(cancellation, Cancellation.State.REQUESTED, field="state"):
        raise BeingCancelled
    doubtful = booking.take_back(package, quotes, decisions.WITHDREW)
    if doubtful or cancellation.quotes.count() > len(quotes):
        subject = str(cancellation.pk)
        following = operations.enqueue(package, OperationKind.CANCEL, subject=subject)
        booking.give_time(following, doubtful)
    else:
        outcome.conclude(package, cancellation, stated=True)
