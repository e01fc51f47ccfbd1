"""Carrying a change out at XCover, and what becomes of it here."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from django_xcover import signals
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.client.schemas.stored import read_package
from django_xcover.clients import factory
from django_xcover.mirror import packages, reads
from django_xcover.models import Attention, Modification, Operation, QuotePackage
from django_xcover.outbox.operation_errors import NotNeeded
from django_xcover.outbox.operations import Failure
from django_xcover.outbox.transitions import move

State = Modification.State


def perform(operation: Operation) -> PackageAnswer:
    """Change the booking at XCover, outside any transaction, and return it.

    A repeat reads first whether the change has been made. Where that cannot be told it is sent
    again under the same key, which does no harm: details are set to the same values, and an
    `update_id` is good for once. Raises XCoverError, and NotNeeded for a change that is over.
    """
    modification = modification_of(operation)
    if modification.state != State.REQUESTED:
        raise NotNeeded(f"The change is {modification.state}.")
    client = factory.client_for(operation.package.account)
    if operation.attempts > 1:
        booked = reads.read_booking(client, operation.package.package_id)
        if booked is not None and _shows(booked, modification):
            return booked
    return _send(client, operation, modification)


def apply(operation: Operation, booked: PackageAnswer) -> None:
    """Bring the mirror up to the changed booking, and tell the shop after the commit.

    Call it in the transaction that finishes the operation. A price that nobody agreed to is
    flagged; one that was settled becomes the price agreed on.
    """
    modification = modification_of(operation)
    package = QuotePackage.objects.locked().get(pk=operation.package_id)
    packages.apply_answer(package, booked)
    if modification.update_id:
        _compare(package, modification)
        _keep(package, modification)
    now, left = timezone.now(), _without_values(modification)
    if move(modification, State.CONFIRMED, field="state", confirmed_at=now, changes=left):
        transaction.on_commit(partial(_announce, modification))


def refuse(operation: Operation, failure: Failure) -> None:
    """Note that XCover refused. Where money was settled for it, have a person look."""
    modification = modification_of(operation)
    move(modification, State.REFUSED, field="state", changes=_without_values(modification))
    if modification.settled_at is not None:
        packages.flag(operation.package, Attention.CHANGE_REFUSED)


def modification_of(operation: Operation) -> Modification:
    """Return the change that the operation carries out."""
    return Modification.objects.get(pk=int(operation.subject))


def _send(client: XCoverClient, operation: Operation, modification: Modification) -> PackageAnswer:
    package_id, key = operation.package.package_id, operation.idempotency_key
    if modification.update_id:
        wire = client.confirm_booking_modification(
            package_id, modification.update_id, {}, idempotency_key=key
        )
    else:
        wire = client.booking_modification(package_id, modification.changes, idempotency_key=key)
    return package_from_wire(wire)


def _shows(booked: PackageAnswer, modification: Modification) -> bool:
    """Return whether the booking shows the change for certain."""
    if modification.update_id:
        return bool(modification.price_diff) and booked.total == modification.price_after
    known = read_package(booked.raw).policyholder.details
    wanted = modification.requested.policyholder
    return all(known.get(name) == value for name, value in wanted.items())


def _compare(package: QuotePackage, modification: Modification) -> None:
    """Look whether the total is the one that was settled. Details change no price."""
    if package.total_price == modification.price_after:
        _agree(package, modification)
    else:
        packages.flag(package, Attention.PRICE_DIFFERS)


def _agree(package: QuotePackage, modification: Modification) -> None:
    changed = package.quotes.accepted().filter(quote_id__in=modification.quote_ids)
    changed.update(chosen_price=F("price"))


def _keep(package: QuotePackage, modification: Modification) -> None:
    """Keep with each policy what it insures from now on: XCover's answers do not repeat it."""
    for policy in modification.requested.policies:
        for quote in package.quotes.filter(quote_id=policy.quote_id):
            quote.request = {**quote.request, **policy.update_fields}
            quote.save(update_fields=["request", "updated_at"])


def _without_values(modification: Modification) -> dict[str, Any]:
    """Return what is left of the changes when they are over: no personal data."""
    named = [{"id": quote_id} for quote_id in modification.quote_ids]
    return {"quotes": named} if named else {}


def _announce(modification: Modification) -> None:
    signals.policy_modified.send_robust(sender=Modification, modification=modification)
