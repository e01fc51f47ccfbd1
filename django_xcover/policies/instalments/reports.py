"""Report to XCover that an instalment was paid, or that its payment failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from django_xcover import signals
from django_xcover.client.schemas.policies import instalments_from_wire
from django_xcover.clients import factory
from django_xcover.exceptions import (
    InstalmentNotDue,
    InstalmentOfCancelled,
    InstalmentPaid,
    InstalmentPaidTwice,
)
from django_xcover.models import (
    Cancellation,
    Instalment,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
)
from django_xcover.models.status import COLLECTED_FOR
from django_xcover.outbox import operations
from django_xcover.outbox.failures import Obsolete
from django_xcover.outbox.transitions import transition
from django_xcover.tracebacks import clears_frames

PAID, FAILED = Instalment.Status.PAID, Instalment.Status.FAILED


@dataclass(frozen=True, slots=True)
class Report:
    """A report of one attempt to collect one instalment."""

    instalment: Instalment
    paid: bool


@clears_frames
def report(
    instalment: Instalment,
    *,
    paid: bool,
    attempted_at: datetime | None = None,
    reference: str = "",
) -> Operation:
    """Have XCover told that the payment of `instalment` was made, or failed.

    `attempted_at` (aware) is the time of the attempt, now by default. Reporting the same attempt
    again returns the same operation: an instalment is paid only once, and failed attempts are
    distinguished by `attempted_at`, or by the current day (UTC) if it is omitted. `reference` is
    the shop's own for a successful payment. Raises InstalmentPaidTwice for a second payment,
    InstalmentPaid and InstalmentNotDue, and ValueError for a time without a time zone.
    """
    moment = attempted_at or timezone.now()
    if timezone.is_naive(moment):
        raise ValueError("attempted_at needs a time zone")
    subject = _subject(instalment, paid=paid, moment=moment, is_exact=attempted_at is not None)
    with transaction.atomic():
        package = QuotePackage.objects.locked().get(pk=instalment.quote.package_id)
        locked = Instalment.objects.select_for_update().get(pk=instalment.pk)
        known = _written(locked).filter(subject=subject).first()
        if paid:
            _note_reference(locked, reference, known)
        if known is not None:
            return known
        _check(locked, paid=paid)
        facts = {"attempted_at": moment, **({"paid_at": moment} if paid else {})}
        Instalment.objects.filter(pk=locked.pk).update(**facts, updated_at=timezone.now())
        operation = operations.enqueue(
            package,
            OperationKind.REPORT_INSTALMENT,
            subject=subject,
            request=_body(locked, paid=paid, moment=moment),
        )
    instalment.refresh_from_db()
    return operation


def instalment_pk(operation: Operation) -> int:
    """Return the primary key of the instalment that a REPORT_INSTALMENT operation is about."""
    return int(operation.subject.partition(":")[0])


def perform(operation: Operation) -> Report:
    """Report to XCover, outside any transaction.

    An instalment that XCover has as paid is not reported again, though that is harmless (recorded).
    On a retry the schedule is read first. Raises XCoverError, and Obsolete for a failed payment of
    an instalment that has since been paid.
    """
    row = Instalment.objects.select_related("quote").get(pk=instalment_pk(operation))
    reported = Report(row, paid=operation.subject.partition(":")[2] == "paid")
    if _is_paid(operation, reported.instalment):
        if reported.paid:
            return reported
        raise Obsolete("The instalment has been paid meanwhile.")
    if not operation.request:
        moment = reported.instalment.attempted_at or operation.created_at
        body = _body(reported.instalment, paid=reported.paid, moment=moment)
        operations.keep_request(operation, body)
    client = factory.client_for(operation.package.account)
    client.update_instalment_payment_status(
        operation.package.package_id,
        operation.request,
        idempotency_key=operation.idempotency_key,
    )
    return reported


def apply(operation: Operation, reported: Report) -> None:
    """Record what was reported. Call it in the transaction that finishes the operation."""
    row = Instalment.objects.select_for_update().get(pk=reported.instalment.pk)
    if row.status == PAID:
        return
    also: dict[str, Any] = {}
    if not reported.paid:
        failed = _written(row).filter(subject__startswith=f"{row.pk}:failed:")
        so_far = failed.filter(state=OperationState.DONE).count()
        also["failures"] = max(row.failures, so_far)
    if transition(row, PAID if reported.paid else FAILED, **also):
        transaction.on_commit(
            partial(signals.instalment_reported.send_robust, sender=Instalment, instalment=row)
        )


def _subject(instalment: Instalment, *, paid: bool, moment: datetime, is_exact: bool) -> str:
    if paid:
        return f"{instalment.pk}:paid"
    form = "%Y%m%dT%H%M%S.%f" if is_exact else "%Y%m%d"
    return f"{instalment.pk}:failed:{moment.astimezone(UTC):{form}}"


def _note_reference(instalment: Instalment, reference: str, known: Operation | None) -> None:
    """Store the payment's reference; raise InstalmentPaidTwice if there is a different one.

    A payment reported without a reference may be this one. An instalment that XCover has as paid
    without a report from here was paid by a different payment.
    """
    before = instalment.payment_reference
    if not reference or reference == before:
        return
    if before or (known is None and not instalment.is_open):
        raise InstalmentPaidTwice(number=instalment.number)
    Instalment.objects.filter(pk=instalment.pk).update(payment_reference=reference)


def _check(instalment: Instalment, *, paid: bool) -> None:
    if instalment.quote.status not in COLLECTED_FOR:
        raise InstalmentNotDue
    # The agreed refund is based on what was paid until then.
    under_way = instalment.quote.cancellations.filter(state=Cancellation.State.REQUESTED)
    if paid and under_way.exists():
        raise InstalmentOfCancelled
    if not instalment.is_open and not paid:
        raise InstalmentPaid(number=instalment.number)


def _written(instalment: Instalment) -> QuerySet[Operation]:
    return Operation.objects.filter(
        package=instalment.quote.package_id, kind=OperationKind.REPORT_INSTALMENT
    )


def _body(instalment: Instalment, *, paid: bool, moment: datetime) -> dict[str, Any]:
    """Return the body, by instalment number as recorded. FAILED is inferred; PAID is recorded."""
    return {
        "quotes": [
            {
                "id": instalment.quote.quote_id,
                "instalment_number": instalment.number,
                "payment_status": PAID.value if paid else FAILED.value,
                "payment_attempted_date": moment.astimezone(UTC),
            }
        ]
    }


def _is_paid(operation: Operation, instalment: Instalment) -> bool:
    """Return whether the payment is recorded here or, on a retry, at XCover."""
    if instalment.status == PAID or operation.attempts <= 1:
        return instalment.status == PAID
    client = factory.client_for(operation.package.account)
    schedules = instalments_from_wire(client.get_instalments(operation.package.package_id))
    return any(
        part.number == instalment.number and part.status == PAID
        for schedule in schedules
        if schedule.quote_id == instalment.quote.quote_id
        for part in schedule.instalments
    )
