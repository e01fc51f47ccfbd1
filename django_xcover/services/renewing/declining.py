"""The customer wants no next period."""

from __future__ import annotations

from functools import partial

from django.db import transaction

from django_xcover import signals
from django_xcover.models import Operation, OperationKind, Renewal
from django_xcover.services import gateway, operations
from django_xcover.services.operations import Failure
from django_xcover.services.renewing.locking import lock
from django_xcover.services.renewing.quoting import refuse_unless_waiting
from django_xcover.services.transitions import move

State = Renewal.State


def opt_out(renewal: Renewal) -> Operation:
    """Have XCover told that the customer declines the renewal; the cover runs to its end.

    Declining again returns the same operation. Raises AlreadyPaid, AlreadyRenewed or Lapsed.
    """
    with transaction.atomic():
        locked = lock(renewal)
        if locked.state not in {State.OPTING_OUT, State.OPTED_OUT}:
            refuse_unless_waiting(locked)
            move(locked, State.OPTING_OUT, field="state")
        operation = operations.enqueue(
            locked.package, OperationKind.RENEWAL_OPT_OUT, subject=str(locked.pk)
        )
    renewal.refresh_from_db()
    return operation


def perform(operation: Operation) -> None:
    """Decline at XCover. Nothing tells whether that was done before, and twice does no harm."""
    client = gateway.client_for(operation.package.account)
    client.renewal_opt_out(operation.package.package_id, idempotency_key=operation.idempotency_key)


def apply(operation: Operation, answer: None) -> None:
    """Note that XCover knows. Call it in the transaction that finishes the operation."""
    renewal = Renewal.objects.get(pk=int(operation.subject))
    if move(renewal, State.OPTED_OUT, field="state"):
        transaction.on_commit(partial(_announce, renewal))


def refuse(operation: Operation, failure: Failure) -> None:
    """Note that there is nothing to decline: XCover refuses it when nothing would renew."""
    move(Renewal.objects.get(pk=int(operation.subject)), State.EXPIRED, field="state")


def _announce(renewal: Renewal) -> None:
    signals.renewal_opted_out.send_robust(sender=Renewal, renewal=renewal)
