"""Dual payment: XCover charges the premium to the card of a token (Quotes API, 12.2).

The shop's PCI-compliant front end sends the card to XPay (`https://api.xpay.xcover.com`) and
receives a token id, `data.id`. Only the token id reaches this package. XCover is then the merchant
of record for the cover: `freeze_cover` still returns the premium, so that the page can show it, and
the shop leaves it out of the amount that it charges itself. The booking makes the charge, so it
happens after `payment_completed`.
"""

from __future__ import annotations

import re
from enum import StrEnum

from django.db import transaction

from django_xcover import validators
from django_xcover.adapters import get_adapter
from django_xcover.exceptions import (
    EmailDiffers,
    NoCoverToPay,
    TokenUnreadable,
    TooLateToPay,
)
from django_xcover.models import (
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
    Status,
)
from django_xcover.models.operation import UNPAID
from django_xcover.offers import shop_values
from django_xcover.outbox import operations
from django_xcover.outbox.failures import Fault, fault_of
from django_xcover.tracebacks import clears_frames

# The format of XPay's ids isn't documented; these are the characters that ids and tokens use.
TOKEN = re.compile(r"[A-Za-z0-9._:~+/=-]{1,64}")
BOOKINGS = (OperationKind.BOOK, OperationKind.INSTANT_BOOK)
# What XCover answers if something is wrong with what was sent. It isn't documented how it reports
# a declined card.
DECLINED = frozenset({Fault.DATA, Fault.REFUSED})


class CardState(StrEnum):
    """What is known of the card that XCover charges for the cover of an order.

    NOT_NEEDED: there is nothing (more) to charge, or the shop charges it. WANTED: there is no token
    yet. GIVEN: XCover charges the card when it books. REFUSED: XCover refused that booking, so
    nothing was charged, and another card can be tried.
    """

    NOT_NEEDED = ""
    WANTED = "wanted"
    GIVEN = "given"
    REFUSED = "refused"


@clears_frames
def use_token(order_or_package: object, customer_token_id: str, *, email: str = "") -> QuotePackage:
    """Have XCover charge the card of `customer_token_id` with the booking; return the package.

    Takes the shop's order or a QuotePackage. Call it before sending `payment_completed`, or with
    another card after XCover refused the first one: the booking is then retried. `email` is the
    address that the token was created with, if the front end passes it on; XCover requires it to
    be the policyholder's. Otherwise raises ActionRefused with a sentence for the shopper.
    """
    _check(customer_token_id)
    with transaction.atomic():
        package = _lock(order_or_package)
        _check_email(package, email)
        package.customer_token_id = customer_token_id
        package.save(update_fields=["customer_token_id", "updated_at"])
        for operation in package.operations.filter(kind__in=BOOKINGS):
            _hand_to(operation, package)
    return package


def card_state(package: QuotePackage, order: object) -> CardState:
    """Return what is known of the card for the cover of `order`, which is in `package`.

    No query for an order that the shop charges itself.
    """
    token = package.customer_token_id
    if not token and not get_adapter().charged_by_xcover(order):
        return CardState.NOT_NEEDED
    if package.status != Status.RECEIVED or not package.quotes.offered().accepted().exists():
        return CardState.NOT_NEEDED
    if not token:
        return CardState.WANTED
    booking = package.operations.filter(kind__in=BOOKINGS).first()
    return CardState.REFUSED if booking and _is_declined(booking) else CardState.GIVEN


def _is_declined(booking: Operation) -> bool:
    is_stopped = booking.state == OperationState.NEEDS_PERSON and booking.outcome_known
    error = booking.error
    return is_stopped and bool(error.get("status")) and fault_of(error) in DECLINED


def _check(customer_token_id: str) -> None:
    validators.refuse(customer_token_id, "customer_token_id")
    if not isinstance(customer_token_id, str) or not TOKEN.fullmatch(customer_token_id):
        raise TokenUnreadable


def _lock(order_or_package: object) -> QuotePackage:
    packages = QuotePackage.objects.locked().order_by("-pk")
    if isinstance(order_or_package, QuotePackage):
        packages = packages.filter(pk=order_or_package.pk)
    else:
        packages = packages.for_order(shop_values.order_reference(order_or_package))
    package = packages.first()
    if package is None or not package.quotes.offered().accepted().exists():
        raise NoCoverToPay
    if package.status != Status.RECEIVED:
        raise TooLateToPay
    return package


def _check_email(package: QuotePackage, email: str) -> None:
    if not email:
        return
    adapter = get_adapter()
    order = adapter.get_order(package.order_reference)
    # An exact match, including case (Quotes API: dual payment).
    if order is None or adapter.get_policyholder(order).email != email:
        raise EmailDiffers


def _hand_to(operation: Operation, package: QuotePackage) -> None:
    """Update an enqueued booking with the new token."""
    if operation.state == OperationState.DISCARDED:
        return
    if operation.subject == UNPAID:
        raise TooLateToPay
    refused = operation.state == OperationState.NEEDS_PERSON and operation.outcome_known
    token = {"customer_token_id": package.customer_token_id}
    body = operation.request and {**operation.request, **token}
    if not (operations.retry(operation) if refused else operations.rewrite(operation, body)):
        raise TooLateToPay
