"""What each lock and each compare-and-set of the money path is there for.

Tried with each lock taken out, each is noticed: `lock_all`, cancelling by reference and by request,
the update in place, the hold's row, the packages of `holds.lock`, the hold of `_by_cart`, the state
that a transition starts from, a lost lease, and refund corrections. The locks of `lock_quotes` and
`is_being_paid` stand behind that of the package. They are there for REPEATABLE READ, where a plain
read sees what was committed before the transaction began: `test_cart_races` notices their absence
on MariaDB.

What a call reads while another transaction is open is only certain on PostgreSQL, where `meanwhile`
can see that it waits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.db.models import F
from django.http import HttpRequest
from django.utils import timezone

from django_xcover import worker
from django_xcover.booking import booking
from django_xcover.cover import freeze_cover, hold_cover
from django_xcover.exceptions import BeingPaid, NotWaiting
from django_xcover.models import (
    Cancellation,
    Hold,
    Operation,
    OperationKind,
    OperationState,
    OrderEvent,
    Quote,
    QuotePackage,
    RefundCorrection,
    WebhookDelivery,
)
from django_xcover.offers import holds, quote_storage
from django_xcover.orders import cancellation as order_cancellation
from django_xcover.orders import events as order_events
from django_xcover.outbox import operations
from django_xcover.policies import cancellation
from django_xcover.policies.refunds import correct_refund, record_refund
from django_xcover.support import give_up
from django_xcover.sync.webhooks import inbox
from django_xcover.types import Money
from tests import completion
from tests.buying import buys
from tests.conftest import Shopper, the_operation, the_package, work
from tests.races import meanwhile, together
from tests.shop import Cart, Order, Shop, ticket

pytestmark = pytest.mark.django_db(transaction=True)
RequestFor = Callable[[Cart | None], HttpRequest]


@pytest.fixture(autouse=True)
def postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only on PostgreSQL is it certain what is read meanwhile.")


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a package in force, of an order with one line."""
    return buys(shopper, shop, ticket())


def orders(order: Order, shopper: Shopper, request_for: RequestFor) -> Decimal | None:
    """Freeze and place the order in one transaction; return the premium that it is charged."""
    with transaction.atomic():
        premium = freeze_cover(request_for(shopper.cart)).premium
        completion.complete(order, shopper.cart, paid=True)
    return premium.amount if premium else None


def test_of_two_orders_of_one_cart_only_the_one_that_gets_the_cover_is_charged(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    price = shopper.says(yes=True).quotes[0].price.amount
    first, second = shop.order("ORD-1"), shop.order("ORD-2")

    with ExitStack() as after, transaction.atomic():
        charged = orders(first, shopper, request_for)
        results = after.enter_context(meanwhile(lambda: orders(second, shopper, request_for)))

    assert (charged, results) == (price, [None])
    assert the_package().order_reference == "ORD-1"


def test_eight_orders_of_one_cart_at_once_charge_one_premium_for_one_booking(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    every = [shop.order(f"ORD-{number}") for number in range(8)]

    charged = together(
        *[lambda order=order: orders(order, shopper, request_for) for order in every]
    )

    assert sum(premium is not None for premium in charged) == 1
    assert Operation.objects.filter(kind=OperationKind.BOOK).count() == 1


def test_an_order_that_cannot_see_the_last_answer_fails_and_is_made_again(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    """Under REPEATABLE READ a plain read of the quotes would return the answer before."""
    quote_id = shopper.says(yes=True).quotes[0].quote_id

    @transaction.atomic
    def order_while_it_is_answered() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        assert Quote.objects.accepted().exists()
        together(lambda: shopper.posts(quote_id, yes=False))
        orders(shop.order(), shopper, request_for)

    with pytest.raises(OperationalError, match="could not serialize"):
        order_while_it_is_answered()

    assert orders(shop.order(), shopper, request_for) is None
    assert the_operation().kind == OperationKind.OPT_OUT


def test_an_order_that_is_cancelled_while_its_shopper_cancels_the_cover_cancels_it_once(
    booked: QuotePackage, shop: Shop
) -> None:
    with ExitStack() as after, transaction.atomic():
        cancellation.cancel_now(booked, origin=Cancellation.Origin.SHOPPER)
        results = after.enter_context(
            meanwhile(lambda: order_cancellation.cancel_order(shop.orders["ORD-1"]))
        )

    assert results == [None]
    assert Cancellation.objects.count() == 1
    assert Operation.objects.filter(kind=OperationKind.CANCEL).count() == 1


def test_an_order_that_is_cancelled_while_it_is_completed_ends_without_cover(
    shopper: Shopper, shop: Shop
) -> None:
    """Neither sees the other: a worker looks for the order again a little later."""
    shopper.says(yes=True)
    order = shop.order()

    with ExitStack() as after, transaction.atomic():
        order_events.completed(order, shopper.cart, paid=True)
        after.enter_context(meanwhile(lambda: order_events.cancelled(order)))
    work()
    OrderEvent.objects.update(next_attempt_at=timezone.now())
    order_events.sweep()
    work()

    assert the_package().status == "CANCELLED"


def test_a_requote_that_returns_while_the_order_is_placed_leaves_its_price_alone(
    shopper: Shopper, shop: Shop, request_for: RequestFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    agreed = shopper.says(yes=True).quotes[0].price.amount
    before = shopper.cart
    answered, may_store = threading.Event(), threading.Event()
    carry_out = quote_storage._carry_out

    def answer_late(*args: Any) -> Any:
        answer = carry_out(*args)
        answered.set()
        may_store.wait()
        return answer

    monkeypatch.setattr(quote_storage, "_carry_out", answer_late)
    shopper.cart = before.but(items=(ticket(price="80"),))

    def store() -> None:
        may_store.set()
        other.join()

    def look() -> None:
        shopper.sees()
        connection.close()

    other = threading.Thread(target=look)
    other.start()
    answered.wait()
    with ExitStack() as after, transaction.atomic():
        completion.complete(shop.order(), before, paid=True)
        after.enter_context(meanwhile(store))

    ordered = Quote.objects.get(package__order_reference="ORD-1")
    assert ordered.price == agreed
    assert ordered.choice == "accepted"


def test_a_worker_that_lost_its_lease_applies_nothing(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    complete = booking._complete

    def while_another_takes_over(*args: Any) -> Any:
        Operation.objects.update(attempts=F("attempts") + 1)
        return complete(*args)

    monkeypatch.setattr(booking, "_complete", while_another_takes_over)
    worker.run(the_operation().pk)

    assert the_operation().state == OperationState.RUNNING, "the other worker has it"
    assert the_package().status == "RECEIVED", "and brings the answer itself"


def test_a_lease_goes_to_the_first_of_two_workers_that_read_the_same_row(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    read_before = the_operation()

    assert operations.claim(read_before.pk)
    assert operations.LEASE.take(read_before) is None
    assert the_operation().attempts == 1


def test_a_webhook_goes_to_the_first_of_two_workers_that_read_the_same_row() -> None:
    delivery = WebhookDelivery.objects.create(account="default", key="1", event="X", body={})
    read_before = WebhookDelivery.objects.get()

    assert inbox.claim(delivery.pk)
    assert inbox.LEASE.take(read_before) is None
    assert WebhookDelivery.objects.get().attempts == 1


def test_a_webhook_that_came_again_stays_with_the_worker_that_took_it_over() -> None:
    delivery = WebhookDelivery.objects.create(account="default", key="1", event="X", body={})
    slow = inbox.claim(delivery.pk)
    WebhookDelivery.objects.update(next_attempt_at=timezone.now())
    quick = inbox.claim(delivery.pk)
    assert slow
    assert quick
    inbox.take_again(WebhookDelivery.objects.get())

    inbox.settle(slow, WebhookDelivery.State.PROCESSED)

    assert WebhookDelivery.objects.get().state == WebhookDelivery.State.PROCESSING
    inbox.settle(quick, WebhookDelivery.State.PROCESSED)
    assert WebhookDelivery.objects.get().state == WebhookDelivery.State.RECEIVED, "read it again"


@pytest.fixture
def stopped(shopper: Shopper, shop: Shop) -> Operation:
    """Return the booking of a paid order, which waits for a person."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    return the_operation()


def test_what_one_person_gives_up_while_another_retries_it_is_not_sent(stopped: Operation) -> None:
    with ExitStack() as after, transaction.atomic():
        give_up.give_up(the_operation(), note="Refunded by hand.")
        retried = after.enter_context(meanwhile(lambda: operations.retry(stopped)))

    assert retried == [False]
    assert the_operation().state == OperationState.DISCARDED


def test_what_one_person_retries_while_another_gives_it_up_is_not_refunded(
    stopped: Operation,
) -> None:
    with ExitStack() as after, transaction.atomic():
        assert operations.retry(the_operation())
        results = after.enter_context(
            meanwhile(lambda: give_up.give_up(stopped, note="Refunded by hand."))
        )

    assert isinstance(results[0], NotWaiting)
    assert the_operation().state == OperationState.PENDING


def test_a_hold_released_while_its_cart_is_frozen_again_leaves_the_new_one_frozen(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    first = hold_cover(request_for(shopper.cart)).hold

    with ExitStack() as after, transaction.atomic():
        freeze_cover(request_for(shopper.cart))
        released = after.enter_context(meanwhile(lambda: holds.release(first)))

    assert released == [True]
    live = Hold.objects.live().get()
    assert the_package().held_until == live.expires_at
    with pytest.raises(BeingPaid):
        shopper.says(yes=False)


@pytest.mark.parametrize("offered", [True, False], ids=["with an offer", "before an offer"])
def test_a_hold_is_not_taken_by_the_orders_cart_while_it_is_released(
    shopper: Shopper, shop: Shop, request_for: RequestFor, offered: bool
) -> None:
    if offered:
        shopper.says(yes=True)
    reference = hold_cover(request_for(shopper.cart)).hold

    with ExitStack() as after, transaction.atomic():
        assert holds.release(reference)
        after.enter_context(
            meanwhile(lambda: completion.complete(shop.order(), shopper.cart, paid=True))
        )

    assert Hold.objects.get().taken_at is None
    assert not Operation.objects.exists()


@pytest.mark.parametrize("offered", [True, False], ids=["with an offer", "before an offer"])
def test_a_hold_is_not_released_while_an_order_takes_it(
    shopper: Shopper, shop: Shop, request_for: RequestFor, offered: bool
) -> None:
    if offered:
        shopper.says(yes=True)
    reference = hold_cover(request_for(shopper.cart)).hold

    with ExitStack() as after, transaction.atomic():
        completion.complete(shop.order(), shopper.cart, paid=True, hold=reference)
        released = after.enter_context(meanwhile(lambda: holds.release(reference)))

    assert released == [False]
    assert Hold.objects.get().released_at is None


def test_an_expired_hold_raises_no_alarm_while_an_order_takes_it(
    shopper: Shopper, shop: Shop, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    reference = hold_cover(request_for(shopper.cart)).hold
    Hold.objects.update(expires_at=timezone.now() - timedelta(minutes=1))

    with ExitStack() as after, transaction.atomic():
        completion.complete(shop.order(), shopper.cart, paid=True, hold=reference)
        alarmed = after.enter_context(meanwhile(holds.sweep))

    assert alarmed == [[]]
    assert Hold.objects.get().reported_at is None


def test_of_two_corrections_of_one_refund_the_second_replaces_the_first(
    booked: QuotePackage,
) -> None:
    cancellation.cancel_now(booked, origin=Cancellation.Origin.STAFF)
    work()
    row = Cancellation.objects.get()
    record_refund(row, Money(Decimal("1.00"), row.currency))

    def correct(amount: str) -> None:
        mine = Cancellation.objects.get(pk=row.pk)
        correct_refund(mine, Money(Decimal(amount), row.currency), reason="Mistyped.")

    with ExitStack() as after, transaction.atomic():
        correct("2.00")
        results = after.enter_context(meanwhile(lambda: correct("3.00")))

    assert results == [None]
    replaced = RefundCorrection.objects.order_by("pk").values_list("amount_before", flat=True)
    assert list(replaced) == [Decimal("1.00"), Decimal("2.00")]


def test_a_refund_is_recorded_once_when_two_people_record_it(booked: QuotePackage) -> None:
    cancellation.cancel_now(booked, origin=Cancellation.Origin.STAFF)
    work()
    row = Cancellation.objects.get()
    amounts = [Money(Decimal(amount), row.currency) for amount in ("1.00", "2.00")]

    with ExitStack() as after, transaction.atomic():
        record_refund(Cancellation.objects.get(), amounts[0])
        results = after.enter_context(
            meanwhile(lambda: record_refund(Cancellation.objects.get(pk=row.pk), amounts[1]))
        )

    assert type(results[0]).__name__ == "RefundNotRecorded"
    assert Cancellation.objects.get().refunded == Decimal("1.00")
