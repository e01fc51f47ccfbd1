"""Booking what the shopper chose, and confirming it when the money comes later."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import transaction

from django_xcover.booking import payload
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer, package_from_wire
from django_xcover.client.schemas.requests import without_quotes
from django_xcover.clients import factory
from django_xcover.mirror import decisions, packages, reads
from django_xcover.models import (
    BOOKED,
    Attention,
    Choice,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.models.operation import UNPAID
from django_xcover.offers import cart_packages
from django_xcover.outbox import operations
from django_xcover.outbox.operation_errors import NotNeeded, Undecided, Unworkable, after_post

# A webhook may bring the booking before the operation that made it has ended.
BOOKABLE = (Status.RECEIVED, Status.PENDING_PAYMENT, Status.CONFIRMED)


def enqueue(package: QuotePackage, order: Any, *, paid: bool) -> Operation:
    """Write that the accepted quotes of `package` have to be booked for `order`.

    The body is frozen now, with the policyholder as of the payment. When the shop cannot name one
    the operation is written all the same, and a person is told when it is carried out.
    """
    subject = "" if paid else UNPAID
    return operations.enqueue(
        package, OperationKind.BOOK, subject=subject, request=_try_to_build(package, order, subject)
    )


def perform(operation: Operation) -> PackageAnswer:
    """Book at XCover, outside any transaction, and return the booking.

    After a first attempt the package is read before it is posted again: its outcome may be
    unknown, and an idempotency key is remembered for 48 hours only. Raises XCoverError, Unworkable
    when the shop's data do not make a booking, Undecided when the answer settles nothing.
    """
    package = operation.package
    client = factory.client_for(package.account)
    if operation.attempts > 1:
        found = reads.read(client, package.package_id)
        if found is not None and found.status in {*BOOKED, Status.FAILED}:
            return found
        if found is not None:
            _note(package, found)
    _require_choice(package)
    _require_offer(package)
    if not operation.request:
        operations.keep_request(operation, _rebuild(package, operation.subject))
    wire = client.create_booking(
        package.package_id, operation.request, idempotency_key=operation.idempotency_key
    )
    return _complete(client, package, package_from_wire(wire))


def perform_confirmation(operation: Operation) -> PackageAnswer:
    """Confirm at XCover that a pending booking has been paid, and return the booking."""
    package_id = operation.package.package_id
    client = factory.client_for(operation.package.account)
    if operation.attempts > 1:
        booked = reads.read_booking(client, package_id)
        if booked is not None and booked.status != Status.PENDING_PAYMENT:
            return booked
    _require_choice(operation.package)
    wire = client.confirm_booking(package_id, idempotency_key=operation.idempotency_key)
    answer = package_from_wire(wire)
    if answer.status != Status.CONFIRMED:
        raise Undecided(f"XCover answered the confirmation with status {answer.status}.")
    return answer


def apply(operation: Operation, answer: PackageAnswer) -> None:
    """Bring the mirror up to the booking and flag what the shopper did not agree to.

    Call it in the transaction that finishes the operation.
    """
    package = operation.package
    packages.apply_answer(package, answer)
    _check(package, answer)
    _forget_token(package)
    if package.status == Status.PENDING_PAYMENT and _is_paid(operation):
        # An account can be set so that every booking waits to be confirmed.
        operations.enqueue(package, OperationKind.CONFIRM_PAYMENT)


def _is_paid(operation: Operation) -> bool:
    return operation.kind != OperationKind.CONFIRM_PAYMENT and operation.subject != UNPAID


def leave_out(operation: Operation, quotes: Iterable[Quote]) -> bool:
    """Take `quotes` out of a booking of which nothing has happened; False when something may have.

    One without a body is made of what is accepted when it is carried out.
    """
    gone = {quote.quote_id for quote in quotes}
    body = operation.request and without_quotes(operation.request, gone)
    return operations.rewrite(operation, body)


def _require_choice(package: QuotePackage) -> None:
    """Raise NotNeeded when all that was chosen was taken back before it was booked."""
    if not package.quotes.offered().accepted().exists():
        raise NotNeeded(decisions.why_withdrawn(package.quotes.withdrawn()))


def _note(package: QuotePackage, found: PackageAnswer) -> None:
    """Keep what XCover shows before a second post, so that a change of it is flagged."""
    with transaction.atomic():
        packages.apply_answer(QuotePackage.objects.locked().get(pk=package.pk), found)
    package.refresh_from_db()


def _require_offer(package: QuotePackage) -> None:
    """Raise Unworkable unless XCover still offers something that was chosen.

    What is left is booked, and what is missing is flagged.
    """
    bookable = package.quotes.accepted().filter(status__in=BOOKABLE)
    if package.status not in BOOKABLE or not bookable.exists():
        raise Unworkable(
            f"XCover no longer offers what was chosen: package {package.package_id} is "
            f"{package.status}. Refund the customer, or order the cover anew."
        )


def _try_to_build(package: QuotePackage, order: Any, subject: str) -> dict[str, Any]:
    accepted = [q for q in cart_packages.lock_quotes(package) if q.choice == Choice.ACCEPTED]
    return payload.attempt(package, lambda: _build(package, order, subject, accepted))


def _rebuild(package: QuotePackage, subject: str) -> dict[str, Any]:
    accepted = package.quotes.offered().accepted().order_by("position")
    return _build(package, payload.order_of(package), subject, accepted)


def _build(
    package: QuotePackage, order: Any, subject: str, accepted: Iterable[Quote]
) -> dict[str, Any]:
    unpaid = {"require_payment_confirmation": True} if subject == UNPAID else {}
    return {
        "quotes": [_chosen(quote) for quote in accepted if quote.status in BOOKABLE],
        **payload.body(package, order),
        **unpaid,
    }


def _chosen(quote: Quote) -> dict[str, Any]:
    plan = {"instalment_plan": quote.instalment_plan} if quote.instalment_plan else {}
    return {"id": quote.quote_id, **plan}


def _complete(client: XCoverClient, package: QuotePackage, answer: PackageAnswer) -> PackageAnswer:
    """Return `answer` if it shows all that was asked for, else what a second look shows.

    A 2xx does not mean that everything was booked: single policies can fail (error types).
    """
    if answer.status == Status.FAILED:
        return answer
    if answer.status not in BOOKED or _missing(package, answer):
        with after_post():
            answer = package_from_wire(client.get_booking(package.package_id))
    if answer.status not in BOOKED:
        raise Undecided(f"XCover answered the booking with status {answer.status}.")
    return answer


def _check(package: QuotePackage, answer: PackageAnswer) -> None:
    if answer.status == Status.FAILED:
        packages.flag(package, Attention.BOOKING_FAILED)
    elif _missing(package, answer):
        packages.flag(package, Attention.POLICY_MISSING)


def _missing(package: QuotePackage, answer: PackageAnswer) -> list[Quote]:
    booked = {read.quote_id for read in answer.quotes if read.status in BOOKED}
    accepted = package.quotes.offered().accepted()
    return [quote for quote in accepted if quote.quote_id not in booked]


def _forget_token(package: QuotePackage) -> None:
    if package.customer_token_id:
        package.customer_token_id = ""
        package.save(update_fields=["customer_token_id", "updated_at"])
