"""Report to XCover that an offer was shown and not taken (Quotes API: insurance opt-out)."""

from __future__ import annotations

from contextlib import suppress

from django.db import transaction

from django_xcover import signals
from django_xcover.client import NotFound
from django_xcover.client.schemas.packages import status_from_wire
from django_xcover.clients import factory
from django_xcover.models import BOOKED, Operation, QuotePackage, Status
from django_xcover.outbox.failures import Obsolete
from django_xcover.outbox.transitions import transition


def perform(operation: Operation) -> None:
    """Opt out at XCover.

    XCover answers 204 even for a booked package, and changes nothing (seen on staging), so the
    status is checked first. Raises XCoverError, and Obsolete for a booked package.
    """
    package = operation.package
    client = factory.client_for(package.account)
    status = package.status
    if operation.attempts > 1:
        # XCover doesn't store fast quotes; they are declined by id (Quotes API: insurance opt-out).
        with suppress(NotFound):
            status = status_from_wire(client.get_quote(package.package_id))
    if status in BOOKED:
        raise Obsolete("The package is booked.")
    if status != Status.OPTED_OUT:
        client.opt_out(package.package_id, idempotency_key=operation.idempotency_key)


def apply(operation: Operation, answer: None) -> None:
    """Record the opt-out. The quotes keep their status, as at XCover (recorded)."""
    package = operation.package
    if transition(package, Status.OPTED_OUT):
        transaction.on_commit(
            lambda: signals.opted_out.send_robust(sender=QuotePackage, package=package)
        )
