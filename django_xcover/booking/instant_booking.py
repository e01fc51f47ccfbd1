"""Price a product without a package, and quote and book it in one call.

XCover enables both per partner (Quotes API: fast quote, instant booking).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_xcover.booking import booking
from django_xcover.client import exact_json
from django_xcover.client.schemas.packages import PackageAnswer, QuoteAnswer, package_from_wire
from django_xcover.clients import factory
from django_xcover.mirror import decisions, packages, request_bodies, search_terms
from django_xcover.models import (
    BOOKED,
    Choice,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.models.package import PROVISIONAL
from django_xcover.offers import fast_quote, shop_values
from django_xcover.offers.fast_quote import FastOffer, opt_out, price
from django_xcover.outbox import operations
from django_xcover.outbox.failures import CannotPerform, Obsolete, OutcomeUnknown
from django_xcover.types import Money, QuoteRequest

# How long XCover remembers an idempotency key (Quotes API: idempotency).
REMEMBERED = timedelta(hours=48)


def perform(operation: Operation) -> PackageAnswer:
    """Quote and book at XCover in one call, and return the booking.

    After an unknown outcome there is no package to read. The same key with the same body returns
    the first answer for 48 hours; after that a person has to check. Raises XCoverError,
    CannotPerform, OutcomeUnknown, and Obsolete if the order was cancelled before anything was sent.
    """
    package = operation.package
    # A booking that may exist is repeated anyway: only the answer has the id to cancel.
    if operation.outcome_known and not package.quotes.offered().accepted().exists():
        raise Obsolete(decisions.why_withdrawn(package.quotes.withdrawn()))
    _require_memory(operation)
    if not operation.request:
        order = booking.order_of(package)
        operations.keep_request(operation, booking.body(package, order))
    if operation.attempts <= 1:
        _leave_out(package)
    wire = factory.client_for(package.account).instant_booking(
        {**_body(package), **operation.request},
        idempotency_key=operation.idempotency_key,
    )
    answer = package_from_wire(wire)
    if answer.status not in {*BOOKED, Status.FAILED}:
        raise OutcomeUnknown(f"XCover answered the instant booking with status {answer.status}.")
    return answer


def _leave_out(package: QuotePackage) -> None:
    """Note which items were taken back before anything was sent, so that none of them is booked.

    Later attempts send the same: XCover ties an idempotency key to one body. What is taken back
    from now on is cancelled after the booking.
    """
    with transaction.atomic():
        QuotePackage.objects.locked().get(pk=package.pk)
        places = list(package.quotes.withdrawn().values_list("position", flat=True))
        if places:
            package.payload[LEFT_OUT] = places
            package.save(update_fields=["payload", "updated_at"])


def _body(package: QuotePackage) -> dict[str, Any]:
    body = exact_json.decode(package.payload[BODY].encode())
    gone = package.payload.get(LEFT_OUT, [])
    # A quote's position is its place in the request.
    items = [item for place, item in enumerate(body["request"]) if place not in gone]
    return {**body, "request": items}


def apply(operation: Operation, answer: PackageAnswer) -> None:
    """Set the ids of the package and its policies, then apply them like any other booking."""
    package = operation.package
    package.package_id = answer.package_id
    package.save(update_fields=["package_id", "updated_at"])
    _name(package, answer.quotes)
    booking.apply(operation, answer)


def _require_memory(operation: Operation) -> None:
    if operation.outcome_known or timezone.now() - operation.created_at < REMEMBERED:
        return
    raise CannotPerform(
        "XCover no longer remembers the first attempt, so another one could book twice. Look up "
        f"order {operation.package.order_reference} in XCover's portal. Press “Retry now” only "
        "if it has no booking; the cover is then booked again."
    )


def _name(package: QuotePackage, answers: Iterable[QuoteAnswer]) -> None:
    """Match each agreed quote to its policy, because the answer doesn't contain our references.

    Matches by policy type and price first, then by policy type alone; the remaining quotes weren't
    booked. Quotes taken back in the meantime are matched, too, and cancelled by id afterwards.
    """
    sent = package.quotes.offered().filter(choice__in=(Choice.ACCEPTED, Choice.WITHDRAWN))
    sent = sent.exclude(position__in=package.payload.get(LEFT_OUT, []))
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


# The payload key for the quote's body until XCover has assigned an id; amounts stay as sent.
BODY = "instant_request"
# The payload key for the places of the items that were taken back before anything was sent.
LEFT_OUT = "instant_left_out"


def book(
    order: object,
    request: QuoteRequest,
    *,
    agreed: Mapping[str, Money],
    account: str,
    shown: Sequence[Quote] | None = None,
    template_version: str = decisions.UNSEEN,
) -> tuple[Operation, bool]:
    """Return the operation that books `order` instantly, and whether this call enqueued it.

    `shown` are the unsaved quotes that the shopper saw, by default those of the cached price. See
    `orders.events.book_instantly`, which respects earlier cancellations of the order.
    """
    wanted = _wanted(request, agreed)
    reference = shop_values.order_reference(order)
    written = _written(reference)
    if written is not None:
        return written, False
    try:
        with transaction.atomic():
            package = _provisional(reference, account, wanted, agreed)
            seen = fast_quote.remembered(wanted, account) if shown is None else _by_line(shown)
            _agree(package, wanted, agreed, seen, template_version)
            return _write(package, order), True
    except IntegrityError:
        # Another process has just enqueued the same booking.
        written = _written(reference)
        if written is None:
            raise
        return written, False


def _write(package: QuotePackage, order: object) -> Operation:
    body = booking.attempt(package, lambda: booking.body(package, order))
    return operations.enqueue(package, OperationKind.INSTANT_BOOK, request=body)


def _wanted(request: QuoteRequest, agreed: Mapping[str, Money]) -> QuoteRequest:
    items = tuple(item for item in request.items if item.reference in agreed)
    if not items or len(items) < len(agreed):
        raise ValueError("`agreed` names something that is no item of the request.")
    if any(money.currency != request.currency for money in agreed.values()):
        raise ValueError("What was agreed is in another currency than the request.")
    return replace(request, items=items)


def _written(reference: str) -> Operation | None:
    rows = Operation.objects.filter(kind=OperationKind.INSTANT_BOOK)
    return rows.filter(package__order_reference=reference).first()


def _provisional(
    reference: str, account: str, wanted: QuoteRequest, agreed: Mapping[str, Money]
) -> QuotePackage:
    body = request_bodies.quote_payload(wanted, now=timezone.now())
    package = QuotePackage.objects.create(
        account=account,
        # Derived from the order, so that only one of two simultaneous calls can write.
        package_id=PROVISIONAL + hashlib.sha256(reference.encode()).hexdigest()[:40],
        status=Status.RECEIVED,
        cart_reference="",
        order_reference=reference,
        currency=wanted.currency,
        total_price=sum((money.amount for money in agreed.values()), Decimal(0)),
        customer_country=wanted.customer_country,
        customer_language=wanted.customer_language,
        payload={BODY: exact_json.encode(body).decode()},
        quoted_at=timezone.now(),
    )
    search_terms.add(package)
    return package


def _by_line(quotes: Iterable[Quote]) -> dict[str, Quote]:
    return {quote.line_reference: quote for quote in quotes}


def _agree(
    package: QuotePackage,
    wanted: QuoteRequest,
    agreed: Mapping[str, Money],
    seen: Mapping[str, Quote],
    template_version: str,
) -> None:
    """Store the agreed quotes, and record the acceptance of each with what the page showed."""
    quotes: Sequence[Quote] = [
        Quote(
            package=package,
            quote_id=f"{package.package_id}-{place}",
            status=Status.RECEIVED,
            position=place,
            line_reference=item.reference,
            label=item.label[: packages.LONGEST_LABEL],
            policy_type=item.policy_type,
            price=agreed[item.reference].amount,
            request=request_bodies.comparable(item),
        )
        for place, item in enumerate(wanted.items)
    ]
    for quote in quotes:
        _recall(quote, seen.get(quote.line_reference))
        quote.save(force_insert=True)
        decisions.record(quote, Choice.ACCEPTED, template_version=template_version)


def _recall(quote: Quote, seen: Quote | None) -> None:
    """Copy the wording shown with the agreed price, if it is still cached."""
    if seen is not None and seen.price == quote.price:
        quote.policy_name = seen.policy_name
        quote.policy_start_date = seen.policy_start_date
        quote.policy_end_date = seen.policy_end_date
        quote.payload = seen.payload


__all__ = ["FastOffer", "opt_out", "price"]
