"""The outbox: stored in the caller's transaction, claimed by one worker and settled only by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.client import HeldBack, XCoverError
from django_xcover.models import Attempt, Operation, OperationKind, OperationState, QuotePackage
from django_xcover.models.operation import new_idempotency_key
from django_xcover.outbox.failures import Obsolete
from django_xcover.outbox.lease import Lease

logger = safe_logging.get_logger("django_xcover.outbox")

# A due operation is dispatched at once, and again by the sweeper. If it is still due after this
# long, no worker is running.
OVERDUE = timedelta(minutes=15)
# The states in which no worker holds a lease.
RESTING = (OperationState.PENDING, OperationState.NEEDS_PERSON)
WORKER_DIED = "worker_died"
# More than XCOVER["ATTEMPTS"], and counted separately from failures: a deploy or a lack of memory
# kills workers whatever they are doing, and must not escalate a booking to staff. An operation that
# itself kills every worker is escalated after ten leases, twenty minutes by default.
MOST_DEATHS = 10
LONGEST_ERROR = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt failed, as stored with the operation and shown to staff.

    `permanent` means that a retry can't help, `outcome_known` that nothing happened at XCover.
    `deaths` counts the workers in a row that died during the operation.
    """

    type: str
    message: str
    permanent: bool
    outcome_known: bool
    status: int | None = None
    vendor_type: str = ""
    code: str = ""
    field_errors: Mapping[str, list[str]] = field(default_factory=dict, repr=False)
    retry_after: float = 0.0
    deaths: int = 0

    @classmethod
    def by_death(cls, operation: Operation) -> Failure:
        """Return a failure that counts one more dead worker; at MOST_DEATHS it is permanent."""
        deaths = operation.error.get("deaths", 0) + 1
        return cls(
            type=WORKER_DIED,
            message=f"{deaths} workers in a row died of it.",
            permanent=deaths >= MOST_DEATHS,
            outcome_known=False,
            deaths=deaths,
        )

    @classmethod
    def from_vendor(cls, error: XCoverError) -> Failure:
        """Return a failure with the vendor's status, type, message and flattened field errors."""
        return cls(
            type=error.code,
            message=error.vendor_message or str(error),
            permanent=error.permanent,
            outcome_known=error.outcome_known,
            status=error.status,
            vendor_type=error.vendor_type or "",
            code=error.vendor_code or "",
            field_errors=dict(error.field_errors),
            retry_after=float(getattr(error, "retry_after", None) or 0.0),
        )

    def in_brief(self) -> str:
        """Return the kind of failure and the rejected fields, without any free text."""
        kind = " ".join(filter(None, (str(self.status or ""), self.vendor_type, self.code)))
        fields = ", ".join(sorted(self.field_errors))
        told = f"{self.type} ({kind})" if kind else self.type
        return f"{told}: {fields}" if fields else told


def enqueue(
    package: QuotePackage,
    kind: OperationKind,
    *,
    subject: str = "",
    request: Mapping[str, Any] | None = None,
) -> Operation:
    """Store an operation of `kind` in the caller's transaction and return it.

    Calling this again with the same package, kind and subject returns the existing row. The
    operation is dispatched after the commit; on a rollback nothing happens at XCover.
    """
    body = dict(request or {})
    operation = _get_or_create(body, package=package, kind=kind, subject=subject)
    announce(operation.pk)
    return operation


def _get_or_create(request: dict[str, Any], **wanted: Any) -> Operation:
    try:
        return Operation.objects.get_or_create(**wanted, defaults={"request": request})[0]
    except IntegrityError:
        # Under REPEATABLE READ only a locking read sees the conflicting row. The first read takes
        # no lock: for a missing row MariaDB locks the gap, and two transactions that hold the gap
        # block each other's insert.
        return Operation.objects.select_for_update().get(**wanted)


class OperationLease(Lease[Operation]):
    """An operation is not claimable while its account is paused or an earlier one is unfinished.

    A new body has a new idempotency key, so a worker that read the old body can't send it.
    """

    model = Operation
    waiting, held = OperationState.PENDING, OperationState.RUNNING
    stopped = OperationState.NEEDS_PERSON
    until = "lease_until"
    ready = signals.operation_ready

    def as_read(self, row: Operation) -> Q:
        return super().as_read(row) & Q(idempotency_key=row.idempotency_key)

    def find(self, pk: int) -> Operation | None:
        rows = Operation.objects.select_related("package").claimable(timezone.now())
        return rows.filter(pk=pk).first()

    def take(self, row: Operation, **facts: Any) -> Operation | None:
        return super().take(row, started_at=timezone.now(), **facts)

    def take_over(self, row: Operation) -> Operation | None:
        """Count the death apart from failures; the call may have been answered before it."""
        death = Failure.by_death(row)
        if death.permanent:
            fail(row, death)
            return None
        dead = _attempt(row, Attempt.Outcome.DIED, death)
        leased = self.take(row, error=asdict(death), outcome_known=False)
        if leased:
            dead.save()
        return leased


LEASE = OperationLease()
claim, announce, sweep = LEASE.claim, LEASE.announce, LEASE.sweep


def _attempt(
    operation: Operation, outcome: Attempt.Outcome, failure: Failure | None = None
) -> Attempt:
    """Return the record of the current attempt, unsaved."""
    return Attempt(
        operation=operation,
        number=operation.attempts,
        outcome=outcome,
        error=failure.in_brief()[:LONGEST_ERROR] if failure else "",
        started_at=operation.started_at,
    )


def keep_request(operation: Operation, request: Mapping[str, Any]) -> None:
    """Store the body before it is sent, so that a retry under the same key sends the same body.

    Raises Obsolete if another worker has taken over the operation: the key belongs to its body.
    """
    operation.request = dict(request)
    if not _as_read(operation).update(request=operation.request):
        raise Obsolete("Another worker has taken it over.")


def rewrite(operation: Operation, request: Mapping[str, Any]) -> bool:
    """Replace the body of an operation that has not taken effect; return False if it may have.

    A new body needs a new key, and a worker can only claim an operation whose key is unchanged
    since it was read. A worker that has just read the old body gets nothing, so the operation is
    dispatched again.
    """
    rows = _as_read(operation).filter(state__in=RESTING, outcome_known=True)
    key, now = new_idempotency_key(), timezone.now()
    rewritten = rows.update(request=dict(request), idempotency_key=key, updated_at=now)
    announce(operation.pk)
    return bool(rewritten)


def finish(operation: Operation) -> bool:
    """Mark the operation as done; return False if its lease was lost to another worker.

    Call it in the transaction that applies the outcome, and apply nothing on False.
    """
    attempt = _attempt(operation, Attempt.Outcome.DONE)
    return _end(operation, OperationState.DONE, attempt, error={}, outcome_known=True)


def discard(operation: Operation, reason: str) -> bool:
    """Mark the operation as obsolete for `reason`; return False if another worker holds it."""
    is_attempted = operation.state == OperationState.RUNNING
    attempt = _attempt(operation, Attempt.Outcome.OBSOLETE) if is_attempted else None
    return _end(operation, OperationState.DISCARDED, attempt, error={"message": reason})


def refuse(operation: Operation, failure: Failure) -> bool:
    """End the operation because XCover refused it; return False if its lease was lost.

    For operations whose own row (a cancellation, a modification) shows the refusal. Left waiting
    for staff, the operation would block all later ones on the package.
    """
    facts = {"failures": operation.failures + 1, "error": asdict(failure), "outcome_known": True}
    attempt = _attempt(operation, Attempt.Outcome.REFUSED, failure)
    refused = _end(operation, OperationState.DISCARDED, attempt, **facts)
    if refused:
        logger.warning(
            "Operation %s of order %s was refused: %s",
            operation.pk,
            operation.package.order_reference,
            failure.type,
        )
    return refused


def _end(
    operation: Operation, state: OperationState, attempt: Attempt | None, **facts: Any
) -> bool:
    """Set a final state, clear the body and dispatch the next operation in line."""
    ended = LEASE.write(operation, state, request={}, finished_at=timezone.now(), **facts)
    if ended:
        if attempt is not None:
            attempt.save()
        waiting = Operation.objects.filter(package=operation.package, state=OperationState.PENDING)
        later = waiting.filter(pk__gt=operation.pk).order_by("pk")
        for pk in later.values_list("pk", flat=True)[:1]:
            announce(pk)
    return ended


def fail(operation: Operation, failure: Failure) -> None:
    """Store the failure and schedule the next attempt, or escalate the operation to staff.

    It is escalated at once if a retry can't help, otherwise after `XCOVER["ATTEMPTS"]` failures.
    """
    failed = LEASE.fail(
        operation,
        permanent=failure.permanent,
        retry_after=failure.retry_after,
        outcome_known=failure.outcome_known,
        error=asdict(failure),
    )
    if not failed:
        return
    is_stopped = operation.state == OperationState.NEEDS_PERSON
    outcome = Attempt.Outcome.STOPPED if is_stopped else Attempt.Outcome.FAILED
    _attempt(operation, outcome, failure).save()
    if is_stopped:
        logger.error(
            "Operation %s of order %s needs a person: %s",
            operation.pk,
            operation.package.order_reference,
            failure.type,
        )
        transaction.on_commit(
            partial(
                signals.operation_needs_person.send_robust, sender=Operation, operation=operation
            )
        )


def postpone(operation: Operation, held: HeldBack) -> None:
    """Put the operation back because of the rate limit, without counting a failure.

    If nothing was sent it doesn't count as an attempt either, so that a long wait can't overflow
    the column.
    """
    known = operation.outcome_known and held.outcome_known
    attempts = operation.attempts - (1 if known else 0)
    LEASE.put_back(operation, held.retry_after, attempts=attempts, outcome_known=known)


def retry(operation: Operation) -> bool:
    """Retry the operation now, on a user's request; return False if there is nothing to retry."""
    if operation.state == OperationState.PENDING:
        now = timezone.now()
        rows = Operation.objects.filter(pk=operation.pk, state=OperationState.PENDING)
        moved = bool(rows.update(next_attempt_at=now, updated_at=now))
    else:
        moved = operation.state == OperationState.NEEDS_PERSON and _try_anew(operation)
    if moved:
        announce(operation.pk)
    return moved


def _try_anew(operation: Operation) -> bool:
    """Make an escalated operation pending again.

    If the last attempt is known to have changed nothing, its body was rejected, so it is built
    again from the shop's data under a new idempotency key. Otherwise key and body are kept, so that
    XCover recognises the retry. The decision uses the stored row, because the user's page may be
    outdated.
    """
    was_refused = operation.outcome_known and bool(operation.error)
    anew = {"request": {}, "idempotency_key": new_idempotency_key()} if was_refused else {}
    now = timezone.now()
    return LEASE.write(operation, OperationState.PENDING, next_attempt_at=now, failures=0, **anew)


def _as_read(operation: Operation) -> QuerySet[Operation]:
    """Return the row if it was not claimed or rewritten since it was read."""
    return Operation.objects.filter(LEASE.as_read(operation), pk=operation.pk)
