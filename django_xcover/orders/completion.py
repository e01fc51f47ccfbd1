"""What the shop's two signals mean: an order takes over its cart's package, and is settled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from django.db import OperationalError, transaction
from django.db.models import Exists, OuterRef, QuerySet

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
from django_xcover.offers import cart_packages, shop_values
from django_xcover.offers.shop_values import Cart
from django_xcover.orders import cancellation, take_over
from django_xcover.outbox import operations
from django_xcover.outbox.operation_errors import Unworkable

logger = safe_logging.get_logger("django_xcover.orders")

# What becomes no cover any more.
OVER = (Status.CANCELLED, Status.FAILED)
PAID_IN_VAIN = "Order %s was paid after its cover was cancelled: package %s covers nothing."
PAID_IN_PART = "Order %s was paid after part of its cover was withdrawn from: package %s."


def complete(order: Any, cart: Any = None, *, paid: bool, hold: str = "") -> None:
    """Let `order` take over what was frozen for it, and write what must happen at XCover.

    `hold` is the reference of its hold, by default the newest of `cart`. Accepted and paid is
    booked; accepted and paid later is booked as pending and confirmed when the money comes;
    declined or unanswered is opted out. Runs in the shop's transaction and may be repeated freely.
    Raises whatever the adapter raises, with nothing changed.
    """
    reference = shop_values.order_reference(order)
    with transaction.atomic():
        package = find(reference, lambda: shop_values.name_cart(cart), hold=hold)
        if package is not None:
            settle(package, order, paid=paid)


def find(reference: str, cart: Callable[[], Cart | None], *, hold: str = "") -> QuotePackage | None:
    """Lock and return the package of the order with this reference, None when it has no cover.

    `cart` names the cart whose package the order takes over, and is called only where the order has
    none yet. With a hold it may fail: the hold names the cart as well.
    """
    package = _package_of(reference)
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
    """Write what must happen at XCover for the locked package of `order`.

    Raises whatever the adapter raises.
    """
    adapter = get_adapter()
    _settle(adapter, package, order, paid=paid or _is_paid(adapter, order))


def _is_paid(adapter: ShopAdapter, order: Any) -> bool:
    """Return whether the shop knows that the money came: its payment may have been told too early.

    `payment_completed` before `order_completed`, without a cart, finds no package to book.
    """
    try:
        with transaction.atomic():
            # A shop may return the time of the payment, or None.
            return bool(adapter.is_paid(order))
    except OperationalError as error:
        # A query that the database refuses: the savepoint is all that is lost by it.
        raise Unworkable("The database refused a query of the adapter's is_paid.") from error


def _package_of(reference: str) -> QuotePackage | None:
    packages = QuotePackage.objects.locked().for_order(reference)
    # An instant booking is written by its own service and needs no settling.
    instant = Operation.objects.filter(kind=OperationKind.INSTANT_BOOK, package=OuterRef("pk"))
    return packages.exclude(Exists(instant)).order_by("-pk").first()


def _settle(adapter: ShopAdapter, package: QuotePackage, order: Any, *, paid: bool) -> None:
    quotes = cart_packages.lock_quotes(package)
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


def _is_over(quotes: Sequence[Quote]) -> bool:
    """Return whether cover was chosen, and all of it is cancelled or could not be booked."""
    chosen = [q for q in quotes if q.choice in {Choice.ACCEPTED, Choice.WITHDRAWN}]
    return bool(chosen) and all(q.choice == Choice.WITHDRAWN or q.status in OVER for q in chosen)


def _is_withdrawn_in_part(quotes: Sequence[Quote]) -> bool:
    """Return whether the customer withdrew from some of the cover before it was booked or paid.

    The shop may not have taken it off the total. A line that the shop itself cancelled it has.
    """
    taken_back = [
        quote.pk
        for quote in quotes
        if quote.choice == Choice.WITHDRAWN and quote.status == Status.RECEIVED
    ]
    return Withdrawal.objects.filter(cancellation__quotes__in=taken_back).exists()


def _alert_unless_repeated(package: QuotePackage, alarm: str) -> None:
    """Alert a person to a payment for cover that is over, unless it was reported before."""
    if _paid(package).exists():
        logger.info("The payment of order %s is reported again.", package.order_reference)
        return
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


def _paid(package: QuotePackage) -> QuerySet[Operation]:
    """Return what was written for a payment, also what an order that was cancelled has ended."""
    rows = Operation.objects.select_for_update().filter(package=package, kind__in=PAYING)
    return rows.exclude(subject=UNPAID)


def _written(package: QuotePackage, kind: OperationKind) -> QuerySet[Operation]:
    """Return what was written for a locked package, with a lock as well.

    What another transaction wrote before it let the package go is seen under REPEATABLE READ by a
    read with a lock only.
    """
    return Operation.objects.select_for_update().filter(package=package, kind=kind)
