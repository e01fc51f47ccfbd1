"""Record that the shop collected the money for the next period, or refunds it."""

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
from django_xcover.outbox.transitions import transition
from django_xcover.policies.renewal import confirmation
from django_xcover.policies.renewal.quoting import lock, refuse_unless_waiting
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money
from django_xcover.validators import refuse_long


@clears_frames
def record_payment(
    renewal: Renewal, *, reference: str = "", amount: Money | None = None
) -> Operation:
    """Record that the shop has collected the premium, and enqueue the confirmation.

    `reference` is the shop's reference of the payment. `amount`, if given, must equal the premium
    to the cent. Recording the same payment again returns the same operation. Raises
    RenewalNotQuoted, RenewalPriceChanged, ReferenceTooLong, and the exceptions of `quote` if the
    renewal was paid by another payment, declined, has lapsed or was renewed by XCover itself.
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
    """Confirm a paid renewal by its id alone (`paid_on` is aware; now by default).

    The older flow: XCover announces a renewal by webhook, after notifying the customer of the
    price. Another call returns the same operation. Raises RenewalNotAnnounced without an id, and
    the exceptions of `record_payment`.
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
    """Return whether `renewal` is paid, was refused by XCover and needs a person."""
    operation = _confirmation(renewal)
    return operation is not None and _is_stuck(operation)


def abandon(renewal: Renewal, *, reason: str) -> None:
    """Give up a paid renewal that XCover refused; the shop refunds the money.

    Raises RenewalNotStuck unless the confirmation needs a person and is known to have changed
    nothing. `reason` is stored with the operation and must not name the customer.
    """
    with transaction.atomic():
        locked = lock(renewal)
        operation = _confirmation(locked)
        if operation is None or not _is_stuck(operation):
            raise RenewalNotStuck
        operations.discard(operation, reason)
        transition(locked, Renewal.State.EXPIRED, field="state")
    renewal.refresh_from_db()


def _is_stuck(operation: Operation) -> bool:
    return operation.state == OperationState.NEEDS_PERSON and operation.outcome_known


def _paid_before(renewal: Renewal, reference: str) -> Operation | None:
    """Return the confirmation of this payment, or None; refuse a different second payment."""
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
    transition(
        renewal,
        Renewal.State.PAID,
        field="state",
        paid_at=at,
        payment_reference=reference,
    )
    return operations.enqueue(
        renewal.package, OperationKind.RENEW, subject=str(renewal.pk), request=body
    )
