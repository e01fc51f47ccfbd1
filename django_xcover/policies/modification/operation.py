"""Carry out a change at XCover and record the outcome."""

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
from django_xcover.mirror import packages, refresh
from django_xcover.models import Attention, Modification, Operation, QuotePackage
from django_xcover.outbox.failures import Obsolete
from django_xcover.outbox.operations import Failure
from django_xcover.outbox.transitions import transition

State = Modification.State


def perform(operation: Operation) -> PackageAnswer:
    """Change the booking at XCover, outside any transaction, and return it.

    A retry first reads whether the change was made. If that is unclear it is sent again under the
    same key, which is harmless: details are set to the same values, and an `update_id` works only
    once. Raises XCoverError, and Obsolete for a change that has ended.
    """
    modification = modification_of(operation)
    if modification.state != State.REQUESTED:
        raise Obsolete(f"The change is {modification.state}.")
    client = factory.client_for(operation.package.account)
    if operation.attempts > 1:
        booked = refresh.read_booking(client, operation.package.package_id)
        if booked is not None and _shows(booked, modification):
            return booked
    return _send(client, operation, modification)


def apply(operation: Operation, booked: PackageAnswer) -> None:
    """Update the mirror to the changed booking, and notify the shop after the commit.

    Call it in the transaction that finishes the operation. A settled price becomes the agreed
    price; any other price is flagged.
    """
    modification = modification_of(operation)
    package = QuotePackage.objects.locked().get(pk=operation.package_id)
    packages.apply_answer(package, booked)
    if modification.update_id:
        _compare(package, modification)
        _keep(package, modification)
    now, left = timezone.now(), _without_values(modification)
    if transition(modification, State.CONFIRMED, field="state", confirmed_at=now, changes=left):
        transaction.on_commit(
            partial(
                signals.policy_modified.send_robust, sender=Modification, modification=modification
            )
        )


def refuse(operation: Operation, failure: Failure) -> None:
    """Record XCover's refusal, and flag it for staff if money was settled for the change."""
    modification = modification_of(operation)
    transition(modification, State.REFUSED, field="state", changes=_without_values(modification))
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
    """Compare the total with the one that was settled. Detail changes don't affect the price."""
    if package.total_price == modification.price_after:
        changed = package.quotes.accepted().filter(quote_id__in=modification.quote_ids)
        changed.update(chosen_price=F("price"))
    else:
        packages.flag(package, Attention.PRICE_DIFFERS)


def _keep(package: QuotePackage, modification: Modification) -> None:
    """Store with each policy what it now insures, because XCover's answers don't repeat it."""
    for policy in modification.requested.policies:
        for quote in package.quotes.filter(quote_id=policy.quote_id):
            quote.request = {**quote.request, **policy.update_fields}
            quote.save(update_fields=["request", "updated_at"])


def _without_values(modification: Modification) -> dict[str, Any]:
    """Return what to keep of a completed change: no personal data."""
    named = [{"id": quote_id} for quote_id in modification.quote_ids]
    return {"quotes": named} if named else {}
