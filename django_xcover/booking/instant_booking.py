"""A price on a product page without a package, and cover that is quoted and booked in one call.

Both are for partners to whom XCover allows them (Quotes API: fast quote, instant booking).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_xcover.booking import booking, payload
from django_xcover.client import exact_json
from django_xcover.client.schemas.packages import PackageAnswer, QuoteAnswer, package_from_wire
from django_xcover.clients import factory
from django_xcover.conf import DEFAULT_ACCOUNT
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
from django_xcover.outbox.operation_errors import NotNeeded, Undecided, Unworkable
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money, QuoteRequest

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
        raise NotNeeded(decisions.why_withdrawn(package.quotes.withdrawn()))
    _require_memory(operation)
    if not operation.request:
        order = payload.order_of(package)
        operations.keep_request(operation, payload.body(package, order))
    wire = factory.client_for(package.account).instant_booking(
        {**exact_json.decode(package.payload[BODY].encode()), **operation.request},
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


# Where a package keeps the body of its quote until XCover has named it: amounts as they are sent.
BODY = "instant_request"


@clears_frames
def book(
    order: object,
    request: QuoteRequest,
    *,
    agreed: Mapping[str, Money],
    account: str = DEFAULT_ACCOUNT,
) -> Operation:
    """Write that the items of `request` named in `agreed` have to be quoted and booked for `order`.

    `agreed` maps an item's reference to the price that the shopper said yes to and has paid
    (`FastOffer.prices`); a booking at another price is flagged for a person. Call it inside the
    transaction that records the payment. An order is booked so once: another call returns the
    same operation. Raises ValueError when `agreed` names no item of `request`, or another currency.
    """
    wanted = _wanted(request, agreed)
    reference = shop_values.order_reference(order)
    written = _written(reference)
    if written is not None:
        return written
    try:
        with transaction.atomic():
            package = _provisional(reference, account, wanted, agreed)
            return _write(package, order, wanted, agreed)
    except IntegrityError:
        # Somebody else has just written the same.
        written = _written(reference)
        if written is None:
            raise
        return written


def _write(
    package: QuotePackage, order: object, wanted: QuoteRequest, agreed: Mapping[str, Money]
) -> Operation:
    _agree(package, wanted, agreed)
    body = payload.attempt(package, lambda: payload.body(package, order))
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
        # Made of the order, so that of two simultaneous calls only one can write.
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


def _agree(package: QuotePackage, wanted: QuoteRequest, agreed: Mapping[str, Money]) -> None:
    """Write the quotes as they were agreed on, and the yes to each with what was shown of it."""
    seen = fast_quote.remembered(wanted, package.account)
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
        decisions.record(quote, Choice.ACCEPTED)


def _recall(quote: Quote, seen: Quote | None) -> None:
    """Take over the wording that went with the agreed price, as long as it is known."""
    if seen is not None and seen.price == quote.price:
        quote.policy_name = seen.policy_name
        quote.policy_start_date = seen.policy_start_date
        quote.policy_end_date = seen.policy_end_date
        quote.payload = seen.payload


__all__ = ["FastOffer", "book", "opt_out", "price"]
