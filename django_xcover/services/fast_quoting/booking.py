"""Cover that was agreed on by its price: quoted and booked in one call, after the payment."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from django_xcover.client import encoding
from django_xcover.conf import DEFAULT_ACCOUNT
from django_xcover.models import Choice, Operation, OperationKind, Quote, QuotePackage, Status
from django_xcover.models.package import PROVISIONAL
from django_xcover.services import (
    booking_bodies,
    decisions,
    mirroring,
    operations,
    payloads,
    search_terms,
    shop_values,
)
from django_xcover.services.fast_quoting import pricing
from django_xcover.types import Money, QuoteRequest

# Where a package keeps the body of its quote until XCover has named it: amounts as they are sent.
BODY = "instant_request"


def book(
    order: Any,
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
    package: QuotePackage, order: Any, wanted: QuoteRequest, agreed: Mapping[str, Money]
) -> Operation:
    _agree(package, wanted, agreed)
    body = booking_bodies.attempt(package, lambda: booking_bodies.body(package, order))
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
    body = payloads.quote_payload(wanted, now=timezone.now())
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
        payload={BODY: encoding.encode(body).decode()},
        quoted_at=timezone.now(),
    )
    search_terms.add(package)
    return package


def _agree(package: QuotePackage, wanted: QuoteRequest, agreed: Mapping[str, Money]) -> None:
    """Write the quotes as they were agreed on, and the yes to each with what was shown of it."""
    seen = pricing.remembered(wanted, package.account)
    quotes: Sequence[Quote] = [
        Quote(
            package=package,
            quote_id=f"{package.package_id}-{place}",
            status=Status.RECEIVED,
            position=place,
            line_reference=item.reference,
            label=item.label[: mirroring.LONGEST_LABEL],
            policy_type=item.policy_type,
            price=agreed[item.reference].amount,
            request=payloads.comparable(item),
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
