"""Carry out a cancellation at XCover and record the outcome."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from django.utils import timezone

from django_xcover.client import NotFound, ValidationFailed, XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.client.schemas.policies import CancellationAnswer, cancellation_from_wire
from django_xcover.client.schemas.requests import quote_ids
from django_xcover.clients import factory
from django_xcover.mirror import decisions, packages, refresh
from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
    Status,
    Withdrawal,
)
from django_xcover.outbox import operations
from django_xcover.outbox.failures import OutcomeUnknown, after_post
from django_xcover.outbox.operations import Failure
from django_xcover.outbox.transitions import transition
from django_xcover.policies import refunds
from django_xcover.policies.cancellation import eligibility, outcome

State = Cancellation.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A booking that shows its policies as cancelled, with XCover's answer about the refund.

    `answer` is None if it can no longer be obtained; `elsewhere` is True if the cancellation was
    made outside this shop.
    """

    booked: PackageAnswer
    answer: CancellationAnswer | None
    elsewhere: bool


def perform(operation: Operation) -> Done | None:
    """Cancel at XCover, outside any transaction; return None if there is nothing to cancel.

    The booking is read first on every retry, and whenever part of it is not stored as in force. A
    retry is sent even if the booking shows as cancelled: XCover replays its answer (Quotes API:
    idempotency, 48 hours), and no other answer gives the refund of a direct cancellation. Raises
    XCoverError, and OutcomeUnknown if the booking doesn't show what XCover answered.
    """
    package, cancellation = operation.package, cancellation_of(operation)
    client = factory.client_for(package.account)
    wanted, in_force = _ids(cancellation), _ids(cancellation, status=Status.CONFIRMED)
    if operation.attempts > 1 or in_force != wanted:
        covered = wanted & _covered(refresh.read_booking(client, package.package_id))
        if not covered and not in_force:
            return None
        # If XCover no longer has the booking it must refuse the call, which escalates it to staff.
        wanted = covered or in_force
    if not operation.request and not _confirms_preview(cancellation):
        quotes = cancellation.quotes.filter(quote_id__in=wanted).order_by("position")
        operations.keep_request(operation, eligibility.body_of(quotes, cancellation.reason))
    return _cancel(client, operation, cancellation)


def apply(operation: Operation, done: Done | None) -> None:
    """Update the mirror, record the refund and notify the shop after the commit.

    Call it in the transaction that finishes the operation.
    """
    cancellation = cancellation_of(operation)
    package = QuotePackage.objects.locked().get(pk=operation.package_id)
    if done is not None:
        packages.apply_answer(package, done.booked)
        outcome.conclude(package, cancellation, _refund_columns(done))
    else:
        decisions.withdraw(cancellation.quotes.select_related("package"))
        if _is_stated(cancellation):
            # The customer has withdrawn, and the shop still has the premium.
            outcome.conclude(package, cancellation)
        else:
            transition(cancellation, State.NOT_NEEDED, field="state")
    _release_booking(package, operation)


def refuse(operation: Operation, failure: Failure) -> None:
    """Record XCover's refusal and flag it for staff: the customer expects the cancellation."""
    cancellation = cancellation_of(operation)
    expired = _confirms_preview(cancellation) and eligibility.is_outdated(cancellation)
    transition(cancellation, State.EXPIRED if expired else State.REFUSED, field="state")
    packages.flag(operation.package, Attention.CANCELLATION_REFUSED)


def cancellation_of(operation: Operation) -> Cancellation:
    """Return the cancellation that the operation carries out."""
    return Cancellation.objects.get(pk=int(operation.subject))


def _ids(cancellation: Cancellation, **lookups: Status) -> set[str]:
    return set(cancellation.quotes.filter(**lookups).values_list("quote_id", flat=True))


def _covered(booked: PackageAnswer | None) -> set[str]:
    """Return the policies that are, or were, in force; an unpaid booking has none."""
    quotes = booked.quotes if booked is not None else ()
    return {quote.quote_id for quote in quotes if quote.status in outcome.COVERED}


def _cancel(client: XCoverClient, operation: Operation, cancellation: Cancellation) -> Done:
    package_id = operation.package.package_id
    wanted = set(quote_ids(operation.request)) or _ids(cancellation)
    try:
        answer = _send(client, operation, cancellation)
    except (ValidationFailed, NotFound) as refused:
        with after_post(outcome_known=refused.outcome_known):
            booked = refresh.read_booking(client, package_id)
        if booked is None or not _is_cancelled(booked, wanted):
            raise
        # Refused because already cancelled: by an earlier unanswered attempt, or elsewhere.
        elsewhere = operation.outcome_known and refused.outcome_known
        return Done(booked=booked, answer=None, elsewhere=elsewhere)
    with after_post():
        booked = package_from_wire(client.get_booking(package_id))
    if not _is_cancelled(booked, wanted):
        raise OutcomeUnknown("XCover answered the cancellation, but the booking does not show it.")
    return Done(booked=booked, answer=answer, elsewhere=False)


def _send(
    client: XCoverClient, operation: Operation, cancellation: Cancellation
) -> CancellationAnswer:
    package_id, key = operation.package.package_id, operation.idempotency_key
    if not operation.request:
        wire = client.confirm_booking_cancellation(
            package_id, cancellation.cancellation_id, {}, idempotency_key=key
        )
    else:
        if cancellation.cancellation_id:
            # A separate key: the preview may have been confirmed under the operation's key.
            key = str(uuid5(UUID(key), "without preview"))
        wire = client.cancel_booking(package_id, operation.request, idempotency_key=key)
    return cancellation_from_wire(wire)


def _confirms_preview(cancellation: Cancellation) -> bool:
    """Return whether to confirm XCover's preview rather than cancel without one.

    A customer's statement outlives its preview: XCover may be down for longer than the 24 hours
    that a preview lasts, and the withdrawal must still take effect.
    """
    if not cancellation.cancellation_id:
        return False
    end = cancellation.confirm_before
    is_over = end is not None and end <= timezone.now()
    return not (is_over and _is_stated(cancellation))


def _is_cancelled(booked: PackageAnswer, ids: Collection[str]) -> bool:
    statuses = {quote.quote_id: quote.status for quote in booked.quotes}
    return all(statuses.get(key) == Status.CANCELLED for key in ids)


def _refund_columns(done: Done) -> dict[str, Any]:
    if done.elsewhere:
        # The party that cancelled may have refunded as well.
        return {"lines": [], "total_refund": None}
    return refunds.columns_of(done.answer) if done.answer is not None else {}


def _is_stated(cancellation: Cancellation) -> bool:
    return Withdrawal.objects.filter(cancellation=cancellation).exists()


def _release_booking(package: QuotePackage, operation: Operation) -> None:
    """Discard the booking that waits for staff if there is nothing left to book."""
    if package.quotes.offered().accepted().exists():
        return
    stuck = Operation.objects.filter(
        package=package,
        kind__in=(OperationKind.BOOK, OperationKind.CONFIRM_PAYMENT),
        state=OperationState.NEEDS_PERSON,
        pk__lt=operation.pk,
    )
    for earlier in stuck:
        operations.discard(earlier, decisions.why_withdrawn(package.quotes.withdrawn()))
