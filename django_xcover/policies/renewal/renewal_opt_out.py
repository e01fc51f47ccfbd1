"""Decline a renewal."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from django_xcover import signals
from django_xcover.client import ValidationFailed
from django_xcover.client.errors import Conflict
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.clients import factory
from django_xcover.mirror import packages
from django_xcover.models import Attention, Operation, OperationKind, QuotePackage, Renewal
from django_xcover.outbox import operations
from django_xcover.outbox.failures import OutcomeUnknown
from django_xcover.outbox.operations import Failure
from django_xcover.outbox.transitions import transition
from django_xcover.policies.renewal import confirmation
from django_xcover.policies.renewal.quoting import lock, refuse_unless_waiting
from django_xcover.tracebacks import clears_frames

State = Renewal.State


@clears_frames
def opt_out(renewal: Renewal) -> Operation:
    """Enqueue the customer's opt-out from the renewal; the cover runs to its end.

    Declining again returns the same operation. Raises RenewalPaid, AlreadyRenewed or RenewalLapsed.
    """
    with transaction.atomic():
        locked = lock(renewal)
        if locked.state not in {State.OPTING_OUT, State.OPTED_OUT}:
            refuse_unless_waiting(locked)
            transition(locked, State.OPTING_OUT, field="state")
        operation = operations.enqueue(
            locked.package, OperationKind.RENEWAL_OPT_OUT, subject=str(locked.pk)
        )
    renewal.refresh_from_db()
    return operation


def perform(operation: Operation) -> PackageAnswer | None:
    """Decline at XCover, outside any transaction; return the booking if XCover has renewed it.

    The booking is read first, because XCover renews automatically for some partners, and then there
    is nothing to decline. XCover doesn't show earlier opt-outs, but repeating one is harmless.
    """
    renewal = Renewal.objects.select_related("package").get(pk=int(operation.subject))
    client = factory.client_for(operation.package.account)
    try:
        answer = package_from_wire(client.get_booking(operation.package.package_id))
    except (ValidationFailed, Conflict) as error:
        # XCover refused the read and not the opt-out, so the renewal isn't over.
        raise OutcomeUnknown("XCover does not show the booking.") from error
    if confirmation.is_renewed(renewal, answer.quotes):
        return answer
    client.renewal_opt_out(operation.package.package_id, idempotency_key=operation.idempotency_key)
    return None


def apply(operation: Operation, renewed: PackageAnswer | None) -> None:
    """Record the opt-out, or flag the package for a person if XCover has renewed anyway.

    Call it in the transaction that finishes the operation.
    """
    renewal = Renewal.objects.select_related("package").get(pk=int(operation.subject))
    moved = transition(renewal, State.OPTED_OUT, field="state")
    if renewed is not None:
        package = QuotePackage.objects.locked().get(pk=renewal.package_id)
        packages.apply_answer(package, renewed)
        # `apply_answer` flags only new changes, and this one may have been stored before the
        # opt-out.
        packages.flag(package, Attention.RENEWED_ANYWAY)
    elif moved:
        transaction.on_commit(
            partial(signals.renewal_opted_out.send_robust, sender=Renewal, renewal=renewal)
        )


def refuse(operation: Operation, failure: Failure) -> None:
    """Expire the renewal: XCover refuses the opt-out if nothing would renew."""
    transition(Renewal.objects.get(pk=int(operation.subject)), State.EXPIRED, field="state")
