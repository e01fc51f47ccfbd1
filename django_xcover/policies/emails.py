"""Ask XCover to resend one of its e-mails to the customer."""

from __future__ import annotations

import re
from typing import Any

from django.db import transaction

from django_xcover.clients import factory
from django_xcover.exceptions import EmailTooEarly, NotBooked, UnknownEmail
from django_xcover.models import BOOKED, Operation, OperationKind, QuotePackage, Status
from django_xcover.outbox import operations
from django_xcover.outbox.operations import Failure
from django_xcover.tracebacks import clears_frames

CREATED, UPDATED, CANCELLED = "BOOKING_CREATED", "BOOKING_UPDATED", "BOOKING_CANCELLED"
# Recorded: BOOKING_CANCELLED. Inferred: the others, from the names of webhooks.
EVENTS = (CREATED, UPDATED, CANCELLED)
_EVENT = re.compile(r"[A-Z][A-Z_]{0,39}")


@clears_frames
def send_again(package: QuotePackage, event: str = "") -> Operation:
    """Have XCover send the e-mail for `event` again, by default the one of the booking's state.

    Asking again while one is in progress returns the same operation; afterwards it is a new one.
    XCover decides what it sends for which event, so names other than EVENTS are passed on.
    Raises NotBooked, EmailTooEarly and UnknownEmail.
    """
    if event and not _EVENT.fullmatch(event):
        raise UnknownEmail
    with transaction.atomic():
        locked = QuotePackage.objects.locked().get(pk=package.pk)
        if locked.status not in BOOKED:
            raise NotBooked
        if event == CANCELLED and locked.status != Status.CANCELLED:
            raise EmailTooEarly
        sent = Operation.objects.filter(package=locked, kind=OperationKind.SEND_EMAIL)
        mine = sent.filter(subject__startswith=f"{event}:")
        waiting = mine.unfinished().first()
        if waiting is not None:
            return waiting
        return operations.enqueue(
            locked, OperationKind.SEND_EMAIL, subject=f"{event}:{mine.count() + 1}"
        )


def perform(operation: Operation) -> None:
    """Ask XCover for the e-mail. The body is built from the subject, so it needn't be stored."""
    event = operation.subject.partition(":")[0]
    payload: dict[str, Any] = {"event": event} if event else {}
    client = factory.client_for(operation.package.account)
    client.trigger_email(
        operation.package.package_id, payload, idempotency_key=operation.idempotency_key
    )


def apply(operation: Operation, answer: None) -> None:
    """Do nothing: the operation itself records that the e-mail was requested."""


def refuse(operation: Operation, failure: Failure) -> None:
    """Do nothing: the operation ends with XCover's reason and blocks no other."""
