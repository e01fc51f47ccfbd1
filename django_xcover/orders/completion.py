"""Handle completed and paid orders: an order takes over its cart's package and is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import QuerySet

from django_xcover import db, safe_logging
from django_xcover.adapters import ShopAdapter, get_adapter
from django_xcover.booking import booking
from django_xcover.mirror import decisions, flags
from django_xcover.models import (
    Attention,
    Choice,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
    Status,
    Withdrawal,
)
from django_xcover.models.operation import PAYING, UNPAID
from django_xcover.offers import carts
from django_xcover.offers.shop_values import Cart
from django_xcover.orders import cancellation, take_over
from django_xcover.outbox import operations
from django_xcover.outbox.failures import CannotPerform

logger = safe_logging.get_logger("django_xcover.orders")

# Statuses of a quote that can't become cover any more.
OVER = (Status.CANCELLED, Status.FAILED)
PAID_IN_VAIN = "Order %s was paid after its cover was cancelled: package %s covers nothing."
PAID_IN_PART = "Order %s was paid after part of its cover was withdrawn from: package %s."
PAID_FOR_CANCELLED_LINES = "Order %s was paid after part of its cover was cancelled: package %s."


def find(reference: str, cart: Callable[[], Cart | None], *, hold: str = "") -> QuotePackage | None:
    """Lock and return the package of the order with this reference, None if it has no cover.

    `cart` returns the cart whose package the order takes over, and is called only if the order has
    no package yet. It may fail if there is a hold, because the hold names the cart, too.
    """
    packages = QuotePackage.objects.lock_order(reference)
    # Instant bookings are enqueued by their own service and need no settling.
    rows = Operation.objects.filter(kind=OperationKind.INSTANT_BOOK, package__in=packages)
    instant = set(rows.values_list("package_id", flat=True))
    package = next((row for row in reversed(packages) if row.pk not in instant), None)
    if package is not None:
        take_over.settle_another(reference, hold)
        return package
    return take_over.take_over(reference, cart=_named(reference, cart, hold), hold=hold)


def _named(reference: str, cart: Callable[[], Cart | None], hold: str) -> Cart | None:
    try:
        with transaction.atomic():
            return cart()
    except Exception as error:
        if not hold or db.is_doomed(error):
            raise
        logger.warning(
            "The cart of order %s cannot be read: %s", reference, safe_logging.describe(error)
        )
        return None


def settle(package: QuotePackage, order: Any, *, paid: bool) -> None:
    """Enqueue the operations for the locked package of `order`.

    The adapter's exceptions propagate.
    """
    adapter = get_adapter()
    _settle(adapter, package, order, paid=paid or _is_paid(adapter, order))


def _is_paid(adapter: ShopAdapter, order: Any) -> bool:
    """Return whether the shop's adapter says that `order` is paid.

    `payment_completed` may have come too early: before `order_completed`, and without a cart, it
    finds no package to book.
    """
    try:
        with transaction.atomic():
            # A shop may return the time of the payment, or None.
            return bool(adapter.is_paid(order))
    except OperationalError as error:
        # The database refused a query; only the savepoint is rolled back.
        raise CannotPerform("The database refused a query of the adapter's is_paid.") from error


def _settle(adapter: ShopAdapter, package: QuotePackage, order: Any, *, paid: bool) -> None:
    quotes = carts.lock_quotes(package)
    if paid and _is_over(quotes):
        _alert_unless_repeated(package, PAID_IN_VAIN)
    elif paid and _is_withdrawn_in_part(quotes):
        _alert_unless_repeated(package, PAID_IN_PART)
    if not any(quote.choice == Choice.ACCEPTED for quote in quotes):
        _settle_without_cover(package, quotes)
    elif paid and _written(package, OperationKind.BOOK).filter(subject=UNPAID).exists():
        operations.enqueue(package, OperationKind.CONFIRM_PAYMENT)
        cancellation.cancel_withdrawn(package, Status.PENDING_PAYMENT)
    elif paid:
        booking.enqueue(package, order, paid=True)
    elif _may_book_unpaid(adapter, package, order):
        booking.enqueue(package, order, paid=False)


def alert_if_cancelled(package: QuotePackage) -> None:
    """Flag a locked package that is booked instantly, and was paid, after it was cancelled."""
    quotes = carts.lock_quotes(package)
    if any(quote.choice == Choice.WITHDRAWN for quote in quotes):
        _alert(package, PAID_IN_VAIN if _is_over(quotes) else PAID_FOR_CANCELLED_LINES)


def _is_over(quotes: Sequence[Quote]) -> bool:
    """Return whether cover was chosen, and all of it is cancelled or couldn't be booked."""
    chosen = [q for q in quotes if q.choice in {Choice.ACCEPTED, Choice.WITHDRAWN}]
    return bool(chosen) and all(q.choice == Choice.WITHDRAWN or q.status in OVER for q in chosen)


def _is_withdrawn_in_part(quotes: Sequence[Quote]) -> bool:
    """Return whether the customer withdrew from part of the cover before it was booked or paid.

    The shop may not have subtracted it from the total. Lines that the shop itself cancelled are
    already subtracted.
    """
    taken_back = [
        quote.pk
        for quote in quotes
        if quote.choice == Choice.WITHDRAWN and quote.status == Status.RECEIVED
    ]
    return Withdrawal.objects.filter(cancellation__quotes__in=taken_back).exists()


def _alert_unless_repeated(package: QuotePackage, alarm: str) -> None:
    """Flag a payment for cover that is over, unless it was reported before."""
    # Operations that a cancellation ended count, too.
    written = Operation.objects.select_for_update().filter(package=package, kind__in=PAYING)
    if written.exclude(subject=UNPAID).exists():
        logger.info("The payment of order %s was reported again.", package.order_reference)
        return
    _alert(package, alarm)


def _alert(package: QuotePackage, alarm: str) -> None:
    logger.critical(alarm, package.order_reference, package)
    flags.flag(package, Attention.PAID_IN_VAIN)


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
    """Lock and return the operations of this kind for a locked package.

    Under REPEATABLE READ, only a locking read sees the rows that another transaction wrote before
    it released the package.
    """
    return Operation.objects.select_for_update().filter(package=package, kind=kind)
