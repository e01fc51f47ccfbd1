"""One attempt at an instant booking, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta

from django.utils import timezone

from django_xcover.client import encoding
from django_xcover.client.answers import PackageAnswer, QuoteAnswer, package_from_wire
from django_xcover.models import BOOKED, Choice, Operation, Quote, QuotePackage, Status
from django_xcover.services import booking, booking_bodies, gateway, operations
from django_xcover.services.fast_quoting.booking import BODY
from django_xcover.services.outcomes import NotNeeded, Undecided, Unworkable

# How long XCover remembers an idempotency key (Quotes API: idempotency).
REMEMBERED = timedelta(hours=48)


def perform(operation: Operation) -> PackageAnswer:
    """Quote and book at XCover in one call, and return the booking.

    There is no package to read after an unknown outcome: the same key with the same body brings
    the first answer back, for 48 hours. After that a person has to look. Raises XCoverError,
    Unworkable, Undecided, and NotNeeded when the order was cancelled before anything was sent.
    """
    package = operation.package
    # What may have happened is repeated all the same: only the answer names what to cancel.
    if operation.outcome_known and not package.quotes.offered().accepted().exists():
        raise NotNeeded("The order was cancelled.")
    _require_memory(operation)
    if not operation.request:
        order = booking_bodies.order_of(package)
        operations.keep_request(operation, booking_bodies.body(package, order))
    wire = gateway.client_for(package.account).instant_booking(
        {**encoding.decode(package.payload[BODY].encode()), **operation.request},
        idempotency_key=operation.idempotency_key,
    )
    answer = package_from_wire(wire)
    if answer.status not in {*BOOKED, Status.FAILED}:
        raise Undecided(f"XCover answered the instant booking with status {answer.status}.")
    return answer


def apply(operation: Operation, answer: PackageAnswer) -> None:
    """Give the package and its policies their ids, then treat them as any other booking."""
    package = operation.package
    package.package_id = answer.package_id
    package.save(update_fields=["package_id", "updated_at"])
    _name(package, answer.quotes)
    booking.apply(operation, answer)


def _require_memory(operation: Operation) -> None:
    if operation.outcome_known or timezone.now() - operation.created_at < REMEMBERED:
        return
    raise Unworkable(
        "XCover has forgotten the first attempt by now, so another one could book twice. Look in "
        f"XCover's portal for order {operation.package.order_reference}. Press “Retry now” only "
        "if it has no booking; it is then booked anew."
    )


def _name(package: QuotePackage, answers: Iterable[QuoteAnswer]) -> None:
    """Find for each agreed quote the policy it became: the answer is a list without our names.

    First by policy type and price, then by policy type alone; what remains was not booked. What
    was taken back meanwhile is booked all the same, and cancelled by its id right afterwards.
    """
    sent = package.quotes.offered().filter(choice__in=(Choice.ACCEPTED, Choice.WITHDRAWN))
    rest = list(sent.order_by("position"))
    left = list(answers)
    for fits in (_is_as_agreed, _is_of_type):
        rest = [quote for quote in rest if not _take(quote, left, fits)]


def _take(
    quote: Quote, left: list[QuoteAnswer], fits: Callable[[Quote, QuoteAnswer], bool]
) -> bool:
    for read in left:
        if fits(quote, read):
            left.remove(read)
            quote.quote_id, quote.policy_name = read.quote_id, read.policy_name
            quote.save(update_fields=["quote_id", "policy_name", "updated_at"])
            return True
    return False


def _is_of_type(quote: Quote, read: QuoteAnswer) -> bool:
    return read.policy_type == quote.policy_type


def _is_as_agreed(quote: Quote, read: QuoteAnswer) -> bool:
    return _is_of_type(quote, read) and read.price == quote.chosen_price
