"""What the shop's two signals mean: an order takes over its cart's package, and is settled."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from django_xcover.adapters import ShopAdapter, get_adapter
from django_xcover.models import Choice, Operation, OperationKind, Quote, QuotePackage, Status
from django_xcover.models.operation import UNPAID
from django_xcover.services import (
    booking,
    cancelling,
    cart_packages,
    decisions,
    operations,
    taking_over,
    unexpected,
)

logger = logging.getLogger(__name__)


def complete(order: Any, cart: Any = None, *, paid: bool, hold: str = "") -> None:
    """Let `order` take over what was frozen for it, and write what must happen at XCover.

    `hold` is the reference of its hold, by default the newest of `cart`. Accepted and paid is
    booked; accepted and paid later is booked as pending and confirmed when the money comes;
    declined or unanswered is opted out. Runs in the shop's transaction and may be repeated freely.
    """
    adapter = get_adapter()
    reference = adapter.get_order_reference(order)
    with transaction.atomic():
        package = _package_of(reference)
        if package is None:
            package = taking_over.take_over(reference, cart=_named(adapter, cart), hold=hold)
        if package is not None:
            _settle(adapter, package, order, paid=paid or _is_paid(adapter, order))


def _named(adapter: ShopAdapter, cart: Any) -> taking_over.Cart | None:
    return None if cart is None else (adapter.get_account(cart), adapter.get_cart_reference(cart))


def _is_paid(adapter: ShopAdapter, order: Any) -> bool:
    """Return whether the shop knows that the money came: its payment may have been told too early.

    `payment_completed` before `order_completed`, without a cart, finds no package to book.
    """
    if type(adapter).is_paid is ShopAdapter.is_paid:
        return False
    try:
        # A savepoint, so that a query that fails in the adapter leaves the shop's order intact.
        with transaction.atomic():
            return adapter.is_paid(order) is True
    except Exception as error:  # noqa: BLE001 - the shop's code; its order must go through
        facts = unexpected.describe(error)
        logger.error("It is not known whether an order is paid: %s", facts)  # noqa: TRY400
        return False


def _package_of(reference: str) -> QuotePackage | None:
    packages = QuotePackage.objects.locked().for_order(reference)
    # An instant booking is written by its own service and needs no settling.
    instant = Operation.objects.filter(kind=OperationKind.INSTANT_BOOK, package=OuterRef("pk"))
    return packages.exclude(Exists(instant)).order_by("-pk").first()


def _settle(adapter: ShopAdapter, package: QuotePackage, order: Any, *, paid: bool) -> None:
    quotes = cart_packages.lock_quotes(package)
    if not any(quote.choice == Choice.ACCEPTED for quote in quotes):
        _settle_without_cover(package, quotes)
    elif paid and _written(package, OperationKind.BOOK).filter(subject=UNPAID).exists():
        operations.enqueue(package, OperationKind.CONFIRM_PAYMENT)
        cancelling.cancel_withdrawn(package, Status.PENDING_PAYMENT)
    elif paid:
        booking.enqueue(package, order, paid=True)
    elif _may_book_unpaid(adapter, package, order):
        booking.enqueue(package, order, paid=False)


def _may_book_unpaid(adapter: ShopAdapter, package: QuotePackage, order: Any) -> bool:
    # With a token the booking charges the card (Quotes API: dual payment), so it waits for the
    # payment of the order.
    may = not package.customer_token_id and adapter.pays_later(order)
    return may and not _written(package, OperationKind.BOOK).exists()


def _settle_without_cover(package: QuotePackage, quotes: Sequence[Quote]) -> None:
    if _written(package, OperationKind.OPT_OUT).exists():
        return
    for quote in quotes:
        if not quote.choice:
            decisions.record(quote, Choice.UNANSWERED)
    operations.enqueue(package, OperationKind.OPT_OUT)


def _written(package: QuotePackage, kind: OperationKind) -> QuerySet[Operation]:
    """Return what was written for a locked package, with a lock as well.

    What another transaction wrote before it let the package go is seen under REPEATABLE READ by a
    read with a lock only.
    """
    return Operation.objects.select_for_update().filter(package=package, kind=kind)
