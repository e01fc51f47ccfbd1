"""Cover added to an order after the sale: what is due for it, and its booking once it is paid."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone

from django_xcover.adapters import get_adapter
from django_xcover.conf import get_config
from django_xcover.exceptions import NothingDue
from django_xcover.models import AfterSaleOffer, Choice, Operation, OperationKind, Quote
from django_xcover.offers import after_sale
from django_xcover.orders import events
from django_xcover.types import Due, Money
from django_xcover.validators import refuse_long

KIND = "after_sale"


def due_of(row: AfterSaleOffer) -> Due | None:
    """Return what is due for `row`: the price of a yes that can still be booked, or None.

    Two queries for a yes.
    """
    price = row.price if row.choice == Choice.ACCEPTED else None
    if price is None or not after_sale.is_fresh(row) or not after_sale.is_open(row, row.lines):
        return None
    return Due(
        kind=KIND,
        # With the revision: a payment for an earlier price or answer is another payment.
        reference=f"{row.pk}-{row.revision}",
        order_reference=row.order_reference,
        label=", ".join(quote.label or quote.policy_name for quote in _accepted(row)),
        amount=price,
    )


def find(reference: str) -> AfterSaleOffer | None:
    """Return the row of a `Due` with this reference, None if it isn't due any more."""
    pk, _, revision = reference.partition("-")
    if not all(text.isascii() and text.isdecimal() and len(text) < 10 for text in (pk, revision)):
        return None
    return AfterSaleOffer.objects.filter(pk=int(pk), revision=int(revision)).first()


def record_payment(due: Due, *, reference: str = "") -> Operation:
    """Record that the shop has collected `due.amount`, and enqueue the booking.

    Call it in the transaction that records the payment. Another call for the same payment returns
    the same operation. Raises NothingDue if the answer, the price or the order has changed, or the
    cover was bought in another way or paid by another payment, and ReferenceTooLong; nothing is
    booked then.
    """
    refuse_long(reference)
    with transaction.atomic():
        found = find(due.reference)
        row = after_sale.lock(found.order_reference) if found else None
        if row is None or due.reference != f"{row.pk}-{row.revision}":
            raise NothingDue
        if row.paid_at is not None:
            if reference and row.payment_reference and reference != row.payment_reference:
                raise NothingDue  # the shopper has paid twice
            return _booking_of(row)
        if row.price != due.amount or not _may_book(row):
            raise NothingDue
        operation = _book(row)
        row.paid_at, row.payment_reference = timezone.now(), reference
        row.save()
    return operation


def _may_book(row: AfterSaleOffer) -> bool:
    """Return whether the yes still counts.

    A payment may begin while the price is due (`after_sale.is_fresh`), and may take a while.
    """
    config = get_config()
    is_late = timezone.now() - row.quoted_at >= config.offer_max_age + 2 * config.hold_length
    is_accepted = row.choice == Choice.ACCEPTED
    return is_accepted and not is_late and after_sale.is_open(row, row.lines, lock=True)


def _book(row: AfterSaleOffer) -> Operation:
    order = get_adapter().get_order(row.order_reference)
    if order is None:
        raise NothingDue
    quotes = _accepted(row)
    operation, is_new = events.book_shown(
        order,
        after_sale.request_of(row),
        agreed={quote.line_reference: Money(quote.price, row.currency) for quote in quotes},
        account=row.account,
        shown=quotes,
        template_version=row.template_version,
    )
    if not is_new:
        raise NothingDue  # the shop has booked cover for this order by itself
    return operation


def _accepted(row: AfterSaleOffer) -> list[Quote]:
    return [quote for quote in after_sale.quotes_of(row) if quote.line_reference in row.lines]


def _booking_of(row: AfterSaleOffer) -> Operation:
    rows = Operation.objects.filter(kind=OperationKind.INSTANT_BOOK)
    return rows.get(package__order_reference=row.order_reference)
