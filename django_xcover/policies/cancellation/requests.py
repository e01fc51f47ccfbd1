"""Asking XCover what a cancellation would mean, within the time that a person waits.

A preview says CANCELLED while nothing is (recorded contract, 4.3): it fills a row of its own and
never touches package or policies.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover import validators
from django_xcover.client import ValidationFailed, XCoverError
from django_xcover.client.errors import UnexpectedAnswer
from django_xcover.client.schemas.policies import CancellationAnswer, cancellation_from_wire
from django_xcover.clients import factory
from django_xcover.clients import factory as gateway
from django_xcover.exceptions import (
    BeingCancelled,
    NotCancellable,
    NotInForce,
    PreviewExpired,
    Refused,
)
from django_xcover.mirror import refresh
from django_xcover.models import Cancellation, Operation, OperationKind, Quote, QuotePackage
from django_xcover.models.operation import new_idempotency_key
from django_xcover.outbox import operations
from django_xcover.outbox.transitions import move
from django_xcover.policies import refunds
from django_xcover.policies.cancellation import eligibility
from django_xcover.policies.staleness import was_paid_since

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
    eligibility.choose(package, cancellation.quotes.all())
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
    validators.refuse(reason, "reason")
    with transaction.atomic():
        locked = _lock(package.pk)
        wanted = eligibility.choose(locked, quotes)
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
    if cancellation.state == State.PREVIEWED and eligibility.is_outdated(cancellation):
        return move(cancellation, State.EXPIRED, field="state")
    return cancellation.state == State.EXPIRED


def _require_preview(cancellation: Cancellation) -> None:
    reasons: dict[str, type[Refused]] = {
        State.REFUSED: NotCancellable,
        State.NOT_NEEDED: NotInForce,
    }
    if cancellation.state in reasons:
        raise reasons[cancellation.state]


# Seconds for all that a person waits for.
DEADLINE = 5.0


def preview(
    package: QuotePackage,
    *,
    quotes: Sequence[Quote] | None = None,
    origin: Cancellation.Origin,
    reason: str = "",
) -> Cancellation:
    """Ask XCover what cancelling means and return it; nothing is cancelled.

    Without `quotes` it is the whole booking, as far as it is in force. The answer has the refund
    and until when it can be confirmed (`confirm_before`, recorded: 24 hours). Takes `DEADLINE`
    seconds at most; hold no transaction meanwhile. Raises NotCancellable or AlreadyCancelled with
    a sentence for the person, CardNumberSent for one in `reason`, and XCoverError when XCover
    cannot be asked.
    """
    validators.refuse(reason, "reason")
    until = time.monotonic() + DEADLINE
    while True:
        asked_at = timezone.now()
        wanted, answer = _ask(package, quotes, reason, until)
        facts = {
            **refunds.told(answer),
            "cancellation_id": answer.cancellation_id,
            "confirm_before": answer.confirm_before,
        }
        with transaction.atomic():
            QuotePackage.objects.locked().get(pk=package.pk)
            # An instalment that was paid while XCover was asked is not part of its answer.
            if not was_paid_since(package, asked_at):
                return create(package, wanted, origin=origin, reason=reason, **facts)


def _ask(
    package: QuotePackage, quotes: Sequence[Quote] | None, reason: str, until: float
) -> tuple[list[Quote], CancellationAnswer]:
    """Return the policies that can be cancelled and XCover's preview of it.

    Raises NotCancellable or AlreadyCancelled, and XCoverError when XCover cannot be asked.
    """
    wanted = _permitted(package, quotes, until)
    body = {**eligibility.body_of(wanted, reason), "preview": True}
    try:
        return wanted, _preview(package, body, until)
    except ValidationFailed as refused:
        raise _why_refused(package, quotes, until) from refused


def _permitted(package: QuotePackage, quotes: Sequence[Quote] | None, until: float) -> list[Quote]:
    """Return what may be cancelled. A stored no may be old, so it is read again first."""
    named = quotes is not None
    wanted = eligibility.choose(package, quotes)
    if any(quote.can_be_cancelled is False for quote in wanted):
        refresh.look_again(package, deadline=factory.remaining(until))
        wanted = eligibility.choose(package, quotes)
    return eligibility.permitted(wanted, all_of_them=named)


def _preview(package: QuotePackage, body: dict[str, Any], until: float) -> CancellationAnswer:
    wire = gateway.client_for(package.account).cancel_booking(
        package.package_id,
        body,
        idempotency_key=new_idempotency_key(),
        deadline=factory.remaining(until),
    )
    answer = cancellation_from_wire(wire)
    if not answer.preview:
        raise UnexpectedAnswer.at("cancellation_id", "is missing")
    if answer.currency != package.currency:
        raise UnexpectedAnswer.at("currency", "is not the one that the booking was paid in")
    return answer


def _why_refused(package: QuotePackage, quotes: Sequence[Quote] | None, until: float) -> Refused:
    """Return the reason as a person understands it: what XCover holds by now tells it."""
    try:
        refresh.look_again(package, deadline=factory.remaining(until))
        eligibility.choose(package, quotes)
    except Refused as reason:
        return reason
    except XCoverError:
        return NotCancellable()
    return NotCancellable()
