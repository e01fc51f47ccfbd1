"""A statement against everything else that can happen to its cover at the same moment.

Tried with the package's lock of `withdraw` taken out: the first and the last are noticed. The
others have the lock of the quotes behind them; with both taken out, these are noticed as well. What
a call reads while another transaction is open is only certain on PostgreSQL, where `meanwhile` can
see that it waits.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import pytest
from django.db import connection, transaction

from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationKind,
    OperationState,
    QuotePackage,
    Status,
    Withdrawal,
)
from django_xcover.orders import cancellation as with_orders
from django_xcover.outbox import operations
from django_xcover.policies.cancellation import cancel_now
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.buying import buys
from tests.conftest import Shopper, the_package, work
from tests.policies.withdrawal.support import cancels, let_time_pass, prepared, states, the_booking
from tests.races import meanwhile, together
from tests.shop import Order, Shop, ticket

pytestmark = pytest.mark.django_db(transaction=True)
State = Cancellation.State
STAFF = Cancellation.Origin.STAFF


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    return buys(shopper, shop, ticket())


@pytest.fixture
def unpaid(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return the package of an order whose money has not come."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=False)
    return the_package()


@pytest.fixture
def paid(unpaid: QuotePackage) -> QuotePackage:
    """Return the package of a paid order whose booking has not begun."""
    completion.complete(Order(), paid=True)
    return the_package()


@pytest.fixture
def postgresql() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("Only on PostgreSQL is it certain what is read meanwhile.")


def during(first: Callable[[], object], then: Callable[[], object]) -> object:
    """Return what `then` returns when it begins before the transaction of `first` is over."""
    with ExitStack() as after, transaction.atomic():
        first()
        results = after.enter_context(meanwhile(then))
    (result,) = results
    return result


# With the package's lock.


@pytest.mark.usefixtures("postgresql")
def test_a_statement_while_staff_cancel_is_carried_out_by_their_cancellation(
    booked: QuotePackage,
) -> None:
    draft = prepared(booked)

    stated = during(lambda: cancel_now(booked, origin=STAFF), lambda: states(draft))

    assert stated == Withdrawal.objects.get()
    assert Withdrawal.objects.get().cancellation.origin == STAFF
    assert cancels() == 1


@pytest.mark.usefixtures("postgresql")
@pytest.mark.parametrize("kind", ["booked", "unpaid", "paid"])
def test_two_statements_at_once_are_one(kind: str, request: pytest.FixtureRequest) -> None:
    package = request.getfixturevalue(kind)
    one, other = prepared(package), prepared(package)

    second = during(lambda: states(one), lambda: states(other))

    assert second == Withdrawal.objects.get()
    assert Cancellation.objects.filter(state__in=(State.REQUESTED, State.CONFIRMED)).count() == 1
    assert cancels() == (1 if kind == "booked" else 0)


@pytest.mark.usefixtures("postgresql")
def test_an_order_that_is_cancelled_first_carries_the_statement_out(booked: QuotePackage) -> None:
    draft = prepared(booked)

    stated = during(lambda: with_orders.cancel_order(Order()), lambda: states(draft))

    assert stated == Withdrawal.objects.get()
    assert cancels() == 1


@pytest.mark.usefixtures("postgresql")
def test_a_statement_during_the_payment_takes_its_booking_back(
    unpaid: QuotePackage, sandbox: Sandbox
) -> None:
    draft = prepared(unpaid)

    stated = during(lambda: completion.complete(Order(), paid=True), lambda: states(draft))
    work()

    assert stated == Withdrawal.objects.get()
    assert the_booking().state == OperationState.DISCARDED
    assert sandbox.calls("create_booking") == []
    assert Withdrawal.objects.get().cancellation.refund == unpaid.total


@pytest.mark.usefixtures("postgresql")
def test_a_payment_during_the_statement_books_nothing_and_alerts_a_person(
    unpaid: QuotePackage, sandbox: Sandbox
) -> None:
    draft = prepared(unpaid)

    during(lambda: states(draft), lambda: completion.complete(Order(), paid=True))
    work()

    assert not Operation.objects.filter(kind=OperationKind.BOOK).exists()
    assert sandbox.calls("create_booking") == []
    assert the_package().attention == Attention.PAID_IN_VAIN


# With the compare-and-set of the operation.


@pytest.mark.usefixtures("postgresql")
def test_a_worker_that_claims_the_booking_during_the_statement_does_not_get_it(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    draft, pk = prepared(paid), the_booking().pk

    claimed = during(lambda: states(draft), lambda: operations.claim(pk))
    work()

    assert claimed is None
    assert the_booking().state == OperationState.DISCARDED
    assert sandbox.calls("create_booking") == []


@pytest.mark.usefixtures("postgresql")
def test_a_statement_during_the_claim_is_carried_out_behind_the_booking(
    paid: QuotePackage,
) -> None:
    draft, pk = prepared(paid), the_booking().pk

    during(lambda: operations.claim(pk), lambda: states(draft))

    assert the_booking().state == OperationState.RUNNING
    assert cancels() == 1
    let_time_pass()
    work()
    work()
    cancellation = Cancellation.objects.get()
    assert cancellation.state == State.CONFIRMED
    assert cancellation.refund == paid.total
    assert the_package().status in {Status.RECEIVED, Status.CANCELLED}


def test_statements_payments_and_workers_at_once_leave_one_statement_and_no_cover(
    paid: QuotePackage,
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite lets one write at a time.")
    drafts = [prepared(paid) for _tab in range(3)]

    together(
        *[lambda draft=draft: states(draft) for draft in drafts],
        lambda: completion.complete(Order(), paid=True),
        work,
    )
    for _round in range(3):
        let_time_pass()
        work()

    cancellation = Withdrawal.objects.get().cancellation
    assert (cancellation.state, cancellation.refund) == (State.CONFIRMED, paid.total)
    assert the_package().status in {Status.RECEIVED, Status.CANCELLED, Status.OPTED_OUT}
