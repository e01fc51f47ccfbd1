"""Settle orders that the shop reports, or store them until its adapter works again.

The shop's order goes through, whatever its adapter raises or returns. An order that can't be
settled is stored as an `OrderEvent` in the same transaction. A worker calls the adapter again;
after as many failures as an operation may have, the event needs a person.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, QuerySet
from django.utils import timezone

from django_xcover import db, safe_logging, validators
from django_xcover.adapters import get_adapter
from django_xcover.booking import instant_booking
from django_xcover.conf import DEFAULT_ACCOUNT, get_config
from django_xcover.exceptions import code_of
from django_xcover.models import Hold, Operation, OperationKind, OrderEvent, Quote, QuotePackage
from django_xcover.offers import after_sale, shop_values
from django_xcover.offers.shop_values import Cart
from django_xcover.orders import cancellation, completion
from django_xcover.outbox import lease
from django_xcover.outbox.failures import CannotPerform
from django_xcover.tracebacks import clears_frames
from django_xcover.types import Money, QuoteRequest
from django_xcover.values import UnusableValue

logger = safe_logging.get_logger("django_xcover.orders")

Kind, State = OrderEvent.Kind, OrderEvent.State
SWEEP_LIMIT = 100
BATCH = 500
# By then an order that was being completed when it was cancelled is committed.
LONGEST_TRANSACTION = timedelta(minutes=5)


def completed(order: Any, cart: Any = None, *, paid: bool, hold: str = "") -> None:
    """Settle an order that was completed or paid; store it for a worker if that fails.

    Raises the exceptions of `get_order_reference`, UnusableValue if the reference can't be stored,
    and any error after which the shop's transaction can't commit. Runs in that transaction.
    """
    reference = shop_values.order_reference(order)
    event = OrderEvent(
        kind=Kind.PAID if paid else Kind.COMPLETED, order_reference=reference, hold=hold
    )
    with transaction.atomic():
        try:
            # A savepoint keeps the shop's own transaction usable if anything fails inside.
            with transaction.atomic():
                package = completion.find(reference, lambda: shop_values.name_cart(cart), hold=hold)
        except Exception as error:  # noqa: BLE001 - the shop's code; its order must go through
            _keep_or_raise(_with_cart(event, cart), error)
            return
        if package is not None:
            _settle(package, order, event)
        elif paid and _waiting(reference).exists():
            # The cart couldn't be read when the order was completed, so the payment waits, too.
            _keep(event, "Waits for an earlier event of the order.")


def cancelled(order: Any, lines: Iterable[Any] | None = None, reason: str = "") -> None:
    """Cancel the cover of an order, or of some lines; store it for a worker if that fails.

    Raises the same exceptions as `completed`.
    """
    reference = shop_values.order_reference(order)
    named = cancellation.read_lines(lines)
    event = OrderEvent(
        kind=Kind.CANCELLED,
        order_reference=reference,
        lines=named,
        reason="" if validators.holds_card_number(reason) else reason[:200],
    )
    with transaction.atomic():
        # A payment for cover added after the sale waits here, also without a package to lock.
        after_sale.lock(reference)
        # An instant booking of the same order waits here, so that it sees the event.
        packages = QuotePackage.objects.lock_order(reference)
        is_waiting = _waiting(reference).exists()
        is_unknown = not packages and not Hold.objects.filter(order_reference=reference).exists()
        if is_waiting:
            # Cancelled again after the earlier event, which may still book cover.
            _keep(event, "Waits for an earlier event of the order.")
        elif is_unknown:
            _keep_for_unknown_order(event)
        try:
            with transaction.atomic():
                cancellation.cancel_by_reference(reference, named, reason)
        except Exception as error:  # noqa: BLE001 - the shop's order must be cancelled anyway
            _keep_or_raise(event, error)
        else:
            instant = Operation.objects.filter(
                kind=OperationKind.INSTANT_BOOK, package__order_reference=reference
            )
            if not (is_waiting or is_unknown or instant.exists()):
                _keep_for_later(event, State.NOTED)


@clears_frames
def book_instantly(
    order: object,
    request: QuoteRequest,
    *,
    agreed: Mapping[str, Money],
    account: str = DEFAULT_ACCOUNT,
) -> Operation:
    """Enqueue quoting and booking, for `order`, the items of `request` that `agreed` names.

    `agreed` maps an item's reference to the price that the shopper accepted and paid
    (`FastOffer.prices`); a booking at another price is flagged for a person. Call it in the
    transaction that records the payment. Each order is booked once this way: another call returns
    the same operation. An order that `order_cancelled` has already cancelled is not booked; single
    cancelled items are left out of the booking, or cancelled right after it once it may have been
    sent. Either way the package is flagged for a
    person. Raises ValueError if `agreed` names an unknown item, no item, or
    another currency.
    """
    return book_shown(order, request, agreed=agreed, account=account)[0]


def book_shown(
    order: object,
    request: QuoteRequest,
    *,
    agreed: Mapping[str, Money],
    account: str,
    shown: Sequence[Quote] | None = None,
    template_version: str = "",
) -> tuple[Operation, bool]:
    """Do what `book_instantly` does; return the operation and whether this call enqueued it.

    `shown` and `template_version` are the record of what the shopper saw; by default that of the
    cached price.
    """
    reference = shop_values.order_reference(order)
    with transaction.atomic():
        known = QuotePackage.objects.lock_order(reference)
        operation, is_new = instant_booking.book(
            order,
            request,
            agreed=agreed,
            account=account,
            shown=shown,
            template_version=template_version,
        )
        if is_new:
            events = OrderEvent.objects.filter(order_reference=reference, kind=Kind.CANCELLED)
            # Under REPEATABLE READ, only a locking read sees what was committed while this waited.
            # Without a package nothing was waited for, and locking no row could deadlock there.
            events = events.select_for_update() if known else events
            _cancel(operation.package, events.exclude(state=State.GIVEN_UP))
            completion.alert_if_cancelled(operation.package)
            operation.refresh_from_db()
    return operation, is_new


def sweep() -> list[int]:
    """Settle the events that are due; return the primary keys of those tried."""
    due = OrderEvent.objects.due(timezone.now()).order_by("next_attempt_at", "pk")
    pks = list(due.values_list("pk", flat=True)[:SWEEP_LIMIT])
    for pk in pks:
        settle(pk)
    return pks


def settle(pk: int) -> None:
    """Try to settle one event again, if it is pending."""
    with transaction.atomic():
        rows = OrderEvent.objects.filter(pk=pk, state=State.PENDING)
        # The packages are locked first, as when the order is erased.
        for reference in rows.values_list("order_reference", flat=True):
            QuotePackage.objects.lock_order(reference)
        event = rows.select_for_update().first()
        if event is None:
            return
        try:
            with transaction.atomic():
                _carry_out(event)
        except Exception as error:
            if db.is_doomed(error):
                raise
            _fail(event, error)
        else:
            _end(event)


def retry(event: OrderEvent) -> bool:
    """Let a worker retry the event now; return False if it is already settled."""
    now = timezone.now()
    rows = OrderEvent.objects.unsettled().filter(pk=event.pk)
    return bool(rows.update(state=State.PENDING, attempts=0, next_attempt_at=now, updated_at=now))


def give_up(event: OrderEvent, *, note: str) -> bool:
    """Record that a person settled the event by hand; return False if it doesn't need a person.

    `note` is stored and must not name the customer.
    """
    now = timezone.now()
    rows = OrderEvent.objects.needing_person().filter(pk=event.pk)
    return bool(rows.update(state=State.GIVEN_UP, given_up=note, finished_at=now, updated_at=now))


def forget() -> int:
    """Delete settled cancellations after XCOVER["UNORDERED_RETENTION_DAYS"]; return how many.

    They are kept for orders that come after their cancellation. In batches, so that no delete locks
    years of events.
    """
    before = timezone.now() - timedelta(days=get_config().unordered_retention_days)
    settled = OrderEvent.objects.filter(
        kind=Kind.CANCELLED, state__in=(State.DONE, State.NOTED), created_at__lt=before
    )
    deleted = 0
    while pks := list(settled.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
        deleted += settled.filter(pk__in=pks).delete()[0]
    return deleted


def _settle(package: QuotePackage, order: Any, event: OrderEvent) -> None:
    """Settle the package of an order. The order keeps the package even if this fails."""
    try:
        with transaction.atomic():
            _cancel_first(package, event.order_reference)
            completion.settle(package, order, paid=event.kind == Kind.PAID)
    except Exception as error:  # noqa: BLE001 - the shop's code; its order must go through
        _keep_or_raise(event, error)


def _keep_or_raise(event: OrderEvent, error: Exception) -> None:
    if db.is_doomed(error):
        raise error
    logger.error(
        "Order %s (%s) is not settled yet and is tried again: %s",
        event.order_reference,
        event.kind,
        safe_logging.describe(error),
    )
    _keep(event, _in_brief(error))


def _keep(event: OrderEvent, error: str) -> None:
    """Store the event, once however often the shop repeats it."""
    same = OrderEvent.objects.unsettled().filter(
        order_reference=event.order_reference, kind=event.kind
    )
    if any(row.lines == event.lines for row in same):
        return
    event.error = error[:255]
    event.save(force_insert=True)


def _waiting(reference: str) -> QuerySet[OrderEvent]:
    """Return the unsettled events that may still book cover for the order."""
    events = OrderEvent.objects.unsettled().filter(order_reference=reference)
    return events.exclude(kind=Kind.CANCELLED)


def _keep_for_unknown_order(event: OrderEvent) -> None:
    """Store the cancellation of an unknown order; it is applied when the order comes.

    A worker retries it, too, in case the order is being completed at the same moment, because
    neither transaction sees the other.
    """
    event.error = "The order is not known yet."
    event.next_attempt_at = timezone.now() + LONGEST_TRANSACTION
    _keep_for_later(event, State.PENDING)


def _keep_for_later(event: OrderEvent, state: OrderEvent.State) -> None:
    same = OrderEvent.objects.filter(order_reference=event.order_reference, kind=event.kind)
    if not any(row.lines == event.lines for row in same.exclude(state=State.GIVEN_UP)):
        event.state = state
        event.save(force_insert=True)


def _with_cart(event: OrderEvent, cart: Any) -> OrderEvent:
    """Store what can be read of the cart on the event, and return the event."""
    event.is_cart_unknown = True
    if cart is None:
        return event
    for name, read in (
        ("account", shop_values.account_of),
        ("cart_reference", shop_values.cart_reference),
    ):
        try:
            with transaction.atomic():
                setattr(event, name, read(cart))
        except Exception as error:
            if db.is_doomed(error):
                raise
    if isinstance(cart, Model) and cart.pk is not None:
        event.cart_key = f"{cart._meta.label_lower} {cart.pk}"[:200]
    return event


def _carry_out(event: OrderEvent) -> None:
    if event.kind == Kind.CANCELLED:
        if not QuotePackage.objects.for_order(event.order_reference).exists():
            return  # nothing to cancel yet; its lines were logged when it was reported
        cancellation.cancel_by_reference(event.order_reference, event.lines, event.reason)
        return
    order = get_adapter().get_order(event.order_reference)
    if order is None:
        raise CannotPerform("The shop does not know this order.")
    package = completion.find(event.order_reference, lambda: _cart_of(event), hold=event.hold)
    if package is not None:
        _cancel_first(package, event.order_reference)
        completion.settle(package, order, paid=event.kind == Kind.PAID)


def _cancel_first(package: QuotePackage, reference: str) -> None:
    """Cancel what was cancelled before the order came or while it waited.

    So nothing books it in between. Events that a person settled by hand are left alone, and so are
    settled ones once the order has been settled itself: the shop may repeat its signals after a
    person has kept cover that XCover refused to cancel.
    """
    known = OrderEvent.objects.filter(order_reference=reference, kind=Kind.CANCELLED)
    is_first = not Operation.objects.filter(package=package).exists()
    applied = (State.GIVEN_UP, State.NOTED)
    _cancel(package, known.exclude(state__in=applied) if is_first else known.unsettled())


def _cancel(package: QuotePackage, cancellations: QuerySet[OrderEvent]) -> None:
    for event in cancellations.order_by("pk"):
        cancellation.cancel_by_reference(
            event.order_reference, event.lines, event.reason, only=package
        )


def _cart_of(event: OrderEvent) -> Cart | None:
    """Return the cart of the event, read again if it was unknown."""
    if not event.is_cart_unknown:
        return None
    if event.account and event.cart_reference:
        return event.account, event.cart_reference
    if event.cart_key:
        label, key = event.cart_key.split(" ", 1)
        cart = apps.get_model(label)._default_manager.filter(pk=key).first()
        if cart is not None:
            return shop_values.name_cart(cart)
    if event.cart_reference:
        packages = QuotePackage.objects.filter(cart_reference=event.cart_reference)
        accounts = set(packages.values_list("account", flat=True))
        if len(accounts) == 1:
            return accounts.pop(), event.cart_reference
    raise CannotPerform("The cart that the order was made from is unknown.")


def _fail(event: OrderEvent, error: Exception) -> None:
    event.attempts += 1
    event.error = _in_brief(error)[:255]
    event.next_attempt_at = lease.next_attempt(event.attempts, 0)
    if event.attempts >= get_config().attempts:
        event.state = State.NEEDS_PERSON
    is_last = event.state == State.NEEDS_PERSON
    logger.log(
        logging.CRITICAL if is_last else logging.ERROR,
        "Order %s (%s) needs a person: %s" if is_last else "Order %s (%s) could not be settled: %s",
        event.order_reference,
        event.kind,
        safe_logging.describe(error),
    )
    event.save()


def _end(event: OrderEvent) -> None:
    event.state, event.error, event.finished_at = State.DONE, "", timezone.now()
    event.save()
    logger.info("Order %s (%s) is settled.", event.order_reference, event.kind)


def _in_brief(error: Exception) -> str:
    """Return the text of our own errors, else the code: other texts may quote a customer."""
    own = isinstance(error, UnusableValue | CannotPerform)
    return str(error) if own else code_of(error)
