"""The outbox: written with the facts, claimed by one worker, settled by that worker only."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from django_xcover import safe_logging, signals
from django_xcover.client import HeldBack, XCoverError
from django_xcover.conf import get_config
from django_xcover.models import Attempt, Operation, OperationKind, OperationState, QuotePackage
from django_xcover.models.operation import new_idempotency_key
from django_xcover.outbox.operation_errors import NotNeeded
from django_xcover.outbox.transitions import move

logger = safe_logging.get_logger("django_xcover.outbox")

SWEEP_LIMIT = 500
# A due operation goes to a worker at once and is swept up soon after: one that still stands there
# after this long has no worker.
OVERDUE = timedelta(minutes=15)
LONGEST_SPACING = 3600.0
# A gateway may name any number, also one that no calendar has.
LONGEST_WAIT = 86400.0
# With no worker at it.
RESTING = (OperationState.PENDING, OperationState.NEEDS_PERSON)
WORKER_DIED = "worker_died"
# More than XCOVER["ATTEMPTS"], and counted apart from failures: a deploy, or a machine short of
# memory, kills workers that are at anything, and must not bring a booking to a person. What kills
# every worker itself is theirs after ten leases, twenty minutes by default.
MOST_DEATHS = 10
LONGEST_ERROR = 255
# Twice as long as the rate limit ever asks for.
LONGEST_POSTPONED = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt failed, as it is kept with the operation and shown to staff.

    `permanent` means that a repeat cannot help; `outcome_known` that nothing happened at XCover.
    `deaths` counts the workers that died of it in a row, since the last attempt that one outlived.
    """

    type: str
    message: str
    permanent: bool
    outcome_known: bool
    status: int | None = None
    vendor_type: str = ""
    code: str = ""
    field_errors: Mapping[str, list[str]] = field(default_factory=dict)
    retry_after: float = 0.0
    deaths: int = 0

    @classmethod
    def by_death(cls, operation: Operation) -> Failure:
        """Count one more worker that died of the operation, MOST_DEATHS of them as permanent."""
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
        """Keep the vendor's status, type, message and flattened field errors."""
        return cls(
            type=error.code,
            message=error.message or str(error),
            permanent=error.permanent,
            outcome_known=error.outcome_known,
            status=error.status,
            vendor_type=error.vendor_type or "",
            code=error.vendor_code or "",
            field_errors=dict(error.field_errors),
            retry_after=float(getattr(error, "retry_after", None) or 0.0),
        )

    def in_brief(self) -> str:
        """Return the kind of failure and the refused fields, without anybody's words."""
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
    """Write that `kind` has to happen, in the caller's transaction, and return the row.

    The same package, kind and subject are written once, whoever asks again. After the commit the
    operation is handed to a worker; if the transaction rolls back nothing happens at XCover.
    """
    body = dict(request or {})
    operation = _get_or_create(body, package=package, kind=kind, subject=subject)
    announce(operation.pk)
    return operation


def _get_or_create(request: dict[str, Any], **wanted: Any) -> Operation:
    try:
        return Operation.objects.get_or_create(**wanted, defaults={"request": request})[0]
    except IntegrityError:
        # Under REPEATABLE READ what stands in the way of the row is seen with a lock only. Not
        # looked for with one at first: of a row that is not there MariaDB locks the gap, and two
        # who have it cannot fill it.
        return Operation.objects.select_for_update().get(**wanted)


def announce(pk: int) -> None:
    """Hand the operation to a worker once the present transaction, if any, has committed."""
    transaction.on_commit(partial(_announce, pk))


def claim(pk: int) -> Operation | None:
    """Return the operation for exactly one caller, leased and counted, or None.

    None means that it is done, not due, leased by another worker, its account paused, or that an
    earlier operation on the same package is unfinished: their order is kept. It also means that so
    many workers have died of it that it has just been left to a person.
    """
    rows = Operation.objects.select_related("package").claimable(timezone.now())
    operation = rows.filter(pk=pk).first()
    if operation is None or operation.state != OperationState.RUNNING:
        return operation and _lease(operation)
    # Its lease ran out, so its worker died, perhaps after its call was answered.
    death = Failure.by_death(operation)
    if death.permanent:
        fail(operation, death)
        return None
    dead = _attempt(operation, Attempt.Outcome.DIED, death)
    leased = _lease(operation, error=asdict(death), outcome_known=False)
    if leased:
        dead.save()
    return leased


def _lease(operation: Operation, **facts: Any) -> Operation | None:
    now = timezone.now()
    won = move(
        operation,
        OperationState.RUNNING,
        field="state",
        only=_as_read(operation),
        attempts=operation.attempts + 1,
        started_at=now,
        lease_until=now + timedelta(seconds=get_config().operation_lease),
        **facts,
    )
    return operation if won else None


def _attempt(
    operation: Operation, outcome: Attempt.Outcome, failure: Failure | None = None
) -> Attempt:
    """Return the attempt that is under way as it ends, not stored yet."""
    return Attempt(
        operation=operation,
        number=operation.attempts,
        outcome=outcome,
        error=failure.in_brief()[:LONGEST_ERROR] if failure else "",
        started_at=operation.started_at,
    )


def keep_request(operation: Operation, request: Mapping[str, Any]) -> None:
    """Freeze the body before it is sent, so that a repeat under the same key sends the same.

    Raises NotNeeded when another worker has taken the operation over: its body goes with the key.
    """
    operation.request = dict(request)
    if not _rows_as_read(operation).update(request=operation.request):
        raise NotNeeded("Another worker has taken it over.")


def rewrite(operation: Operation, request: Mapping[str, Any]) -> bool:
    """Give an operation of which nothing has happened another body; False when something may have.

    Another body needs another key, and only what still has the key it was read with is claimed: a
    worker that has just read the old body gets nothing, so the row is handed over again.
    """
    rows = _rows_as_read(operation).filter(state__in=RESTING, outcome_known=True)
    key, now = new_idempotency_key(), timezone.now()
    rewritten = rows.update(request=dict(request), idempotency_key=key, updated_at=now)
    announce(operation.pk)
    return bool(rewritten)


def finish(operation: Operation) -> bool:
    """Mark the operation as done; False when its lease was lost to another worker.

    Call it in the transaction that applies the outcome, and apply nothing on False.
    """
    attempt = _attempt(operation, Attempt.Outcome.DONE)
    return _end(operation, OperationState.DONE, attempt, error={}, outcome_known=True)


def discard(operation: Operation, reason: str) -> bool:
    """Mark the operation as no longer needed, for `reason`; False when somebody else has it."""
    is_attempted = operation.state == OperationState.RUNNING
    attempt = _attempt(operation, Attempt.Outcome.OBSOLETE) if is_attempted else None
    return _end(operation, OperationState.DISCARDED, attempt, error={"message": reason})


def refuse(operation: Operation, failure: Failure) -> bool:
    """End the operation because XCover refused it; False when its lease was lost.

    For operations whose own row (a cancellation, a modification) says so to people: an operation
    that waits for a person holds up all later ones on the package.
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
    """Move to a final state, forget the body, and hand over what has waited behind it."""
    ended = move(
        operation,
        state,
        field="state",
        only=_as_read(operation),
        request={},
        lease_until=None,
        finished_at=timezone.now(),
        **facts,
    )
    if ended:
        if attempt is not None:
            attempt.save()
        _announce_successor(operation)
    return ended


def fail(operation: Operation, failure: Failure) -> None:
    """Keep why the attempt failed and plan the next, or leave the operation to a person.

    A person is told at once when a repeat cannot help, and after `XCOVER["ATTEMPTS"]` failures.
    """
    failures = operation.failures + 1
    give_up = failure.permanent or failures >= get_config().attempts
    outcome = Attempt.Outcome.STOPPED if give_up else Attempt.Outcome.FAILED
    attempt = _attempt(operation, outcome, failure)
    moved = move(
        operation,
        OperationState.NEEDS_PERSON if give_up else OperationState.PENDING,
        field="state",
        only=_as_read(operation),
        failures=failures,
        outcome_known=failure.outcome_known,
        lease_until=None,
        next_attempt_at=next_attempt(failures, failure.retry_after),
        error=asdict(failure),
    )
    if moved:
        attempt.save()
    if moved and give_up:
        logger.error(
            "Operation %s of order %s needs a person: %s",
            operation.pk,
            operation.package.order_reference,
            failure.type,
        )
        transaction.on_commit(partial(_announce_needs_person, operation))


def postpone(operation: Operation, held: HeldBack) -> None:
    """Put the operation back, because the rate limit had no room for it: that is no failure.

    It is no attempt either when nothing was ever sent: however long the limit holds it back, the
    count stays what its column can hold.
    """
    known = operation.outcome_known and held.outcome_known
    # The clock by which the limit counts may be another machine's.
    seconds = min(held.retry_after or 0.0, LONGEST_POSTPONED)
    move(
        operation,
        OperationState.PENDING,
        field="state",
        only=_as_read(operation),
        attempts=operation.attempts - (1 if known else 0),
        outcome_known=known,
        lease_until=None,
        next_attempt_at=timezone.now() + timedelta(seconds=seconds),
    )


def retry(operation: Operation) -> bool:
    """Let a person try again now; False when there is nothing to retry, or not any more."""
    if operation.state == OperationState.PENDING:
        moved = _bring_forward(operation)
    else:
        moved = operation.state == OperationState.NEEDS_PERSON and _try_anew(operation)
    if moved:
        announce(operation.pk)
    return moved


def _bring_forward(operation: Operation) -> bool:
    """Let the next attempt, which is planned already, be due now."""
    now = timezone.now()
    rows = Operation.objects.filter(pk=operation.pk, state=OperationState.PENDING)
    return bool(rows.update(next_attempt_at=now, updated_at=now))


def _try_anew(operation: Operation) -> bool:
    """Take the operation back from the person it waited for.

    When the last attempt is known to have changed nothing, its body was refused: it is made anew
    from the shop's data, under a new idempotency key. Otherwise key and body stay as they are, so
    that XCover can tell a repeat. Somebody who looks at an old page may not know which it is now.
    """
    was_refused = operation.outcome_known and bool(operation.error)
    anew = {"request": {}, "idempotency_key": new_idempotency_key()} if was_refused else {}
    return move(
        operation,
        OperationState.PENDING,
        field="state",
        only=_as_read(operation),
        next_attempt_at=timezone.now(),
        failures=0,
        **anew,
    )


def sweep() -> list[int]:
    """Hand over again what is due or whose worker died; return the primary keys.

    Handing over twice is harmless, because a worker has to claim first.
    """
    due = Operation.objects.claimable(timezone.now()).order_by("next_attempt_at")
    found = list(due.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for pk in found:
        announce(pk)
    return found


def next_attempt(failures: int, retry_after: float) -> datetime:
    """Return when to try again: the vendor's spacing, doubled each time, with jitter.

    XCover asks for 2 to 5 minutes between attempts (error management); `Retry-After` is obeyed,
    up to a day.
    """
    # Doubled thirty times it is longer than any spacing; no float holds a thousand times.
    doubled = 2 ** min(failures - 1, 30)
    base = min(get_config().retry_spacing * doubled, LONGEST_SPACING)
    spacing = base * random.uniform(1.0, 1.5)  # noqa: S311 - no secret
    seconds = max(spacing, min(retry_after, LONGEST_WAIT))
    return timezone.now() + timedelta(seconds=seconds)


def _as_read(operation: Operation) -> Q:
    """Return the condition that no other worker has taken it and nobody has rewritten it since."""
    return Q(attempts=operation.attempts, idempotency_key=operation.idempotency_key)


def _rows_as_read(operation: Operation) -> QuerySet[Operation]:
    return Operation.objects.filter(_as_read(operation), pk=operation.pk)


def _announce_successor(operation: Operation) -> None:
    waiting = Operation.objects.filter(package=operation.package, state=OperationState.PENDING)
    for pk in waiting.filter(pk__gt=operation.pk).order_by("pk").values_list("pk", flat=True)[:1]:
        announce(pk)


def _announce(pk: int) -> None:
    signals.operation_ready.send_robust(sender=Operation, pk=pk)


def _announce_needs_person(operation: Operation) -> None:
    signals.operation_needs_person.send_robust(sender=Operation, operation=operation)
