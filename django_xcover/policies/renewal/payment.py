"""The shop has the money for the next period, or gives it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from django_xcover.exceptions import (
    RenewalNotAnnounced,
    RenewalNotQuoted,
    RenewalNotStuck,
    RenewalPriceChanged,
)
from django_xcover.formats import format_amount
from django_xcover.models import Operation, OperationKind, OperationState, Renewal
from django_xcover.outbox import operations
from django_xcover.outbox.transitions import move
from django_xcover.policies.renewal import confirmation
from django_xcover.policies.renewal.quoting import lock, refuse_unless_waiting
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money
from django_xcover.validators import refuse_long


@clears_frames
def record_payment(
    renewal: Renewal, *, reference: str = "", amount: Money | None = None
) -> Operation:
    """Note that the shop has collected the premium, and have the next period confirmed.

    `reference` is the shop's own for the payment. `amount`, when given, must be the premium to
    the cent. The same payment again returns the same operation. Raises RenewalNotQuoted,
    RenewalPriceChanged, ReferenceTooLong, and what `quote` raises for a renewal that is paid by
    another payment, declined, lapsed or renewed by XCover itself.
    """
    with transaction.atomic():
        locked = lock(renewal)
        known = _paid_before(locked, reference)
        if known is not None:
            return known
        refuse_unless_waiting(locked)
        if locked.state != Renewal.State.QUOTED or locked.premium is None:
            raise RenewalNotQuoted
        if amount is not None and amount != locked.premium:
            raise RenewalPriceChanged(price=format_amount(locked.premium))
        operation = _pay(locked, confirmation.body(locked), timezone.now(), reference)
    renewal.refresh_from_db()
    return operation


@clears_frames
def confirm_legacy(
    renewal: Renewal, *, paid_on: datetime | None = None, reference: str = ""
) -> Operation:
    """Confirm by the renewal's id alone that it was paid (`paid_on`, aware; now by default).

    The older flow: XCover announces a renewal by webhook, at a price it has told the customer.
    The same again returns the same operation. Raises RenewalNotAnnounced without an id, else as
    `record_payment`.
    """
    with transaction.atomic():
        locked = lock(renewal)
        known = _paid_before(locked, reference)
        if known is not None:
            return known
        refuse_unless_waiting(locked)
        if not confirmation.legacy_id(locked):
            raise RenewalNotAnnounced
        paid_at = paid_on or timezone.now()
        operation = _pay(locked, confirmation.legacy_body(locked, paid_at), paid_at, reference)
    renewal.refresh_from_db()
    return operation


def may_abandon(renewal: Renewal) -> bool:
    """Return whether `renewal` is paid, refused by XCover and left to a person."""
    operation = _confirmation(renewal)
    return operation is not None and _is_stuck(operation)


def abandon(renewal: Renewal, *, reason: str) -> None:
    """Give up a paid renewal that XCover refused; the shop gives the money back.

    Only when its confirmation waits for a person and is known to have changed nothing; otherwise
    RenewalNotStuck. `reason` is kept with the operation and must not name the customer.
    """
    with transaction.atomic():
        locked = lock(renewal)
        operation = _confirmation(locked)
        if operation is None or not _is_stuck(operation):
            raise RenewalNotStuck
        operations.discard(operation, reason)
        move(locked, Renewal.State.EXPIRED, field="state")
    renewal.refresh_from_db()


def _is_stuck(operation: Operation) -> bool:
    return operation.state == OperationState.NEEDS_PERSON and operation.outcome_known


def _paid_before(renewal: Renewal, reference: str) -> Operation | None:
    """Return the confirmation of this payment; raise a refusal when there is one of another."""
    known = _confirmation(renewal)
    paid = renewal.payment_reference
    if known is not None and reference and paid and reference != paid:
        refuse_unless_waiting(renewal)  # the customer has paid twice
    return known


def _confirmation(renewal: Renewal) -> Operation | None:
    written = Operation.objects.filter(package=renewal.package_id, kind=OperationKind.RENEW)
    return written.filter(subject=str(renewal.pk)).first()


def _pay(renewal: Renewal, body: dict[str, Any], at: datetime, reference: str) -> Operation:
    refuse_long(reference)
    move(
        renewal,
        Renewal.State.PAID,
        field="state",
        paid_at=at,
        payment_reference=reference,
    )
    return operations.enqueue(
        renewal.package, OperationKind.RENEW, subject=str(renewal.pk), request=body
    )
