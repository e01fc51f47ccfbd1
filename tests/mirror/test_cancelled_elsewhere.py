"""Paid cover that somebody cancelled at XCover: whoever learns of it first, a person is told.

The customer may be owed a refund, and what is CANCELLED in the mirror is looked at by nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from django_xcover import exceptions
from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Attention, Cancellation, Quote, QuotePackage
from django_xcover.policies import cancellation, modification
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.buying import buys
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Shop, laptop, ticket
from tests.workers import let_time_pass

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
SHOPPER = Cancellation.Origin.SHOPPER
Act = Callable[[QuotePackage], object]


@pytest.fixture
def both(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> QuotePackage:
    """Return a booking of tickets and a laptop."""
    return buys(shopper, shop, ticket(), laptop())


def insuring(line: str) -> Quote:
    return Quote.objects.get(line_reference=line)


def cancel_by_telephone(line: str = "laptop") -> None:
    body = {"quotes": [{"id": insuring(line).quote_id}]}
    client = factory.client_for("default")
    client.cancel_booking(the_package().package_id, body, idempotency_key="telephone")


def price_a_change(package: QuotePackage) -> None:
    fields = {"price": Decimal(1500)}
    with pytest.raises(exceptions.NotModifiable):
        modification.quote_change(
            package, quote=insuring("laptop"), update_fields=fields, origin="shopper"
        )


def preview_a_cancellation(package: QuotePackage) -> None:
    with pytest.raises(exceptions.AlreadyCancelled):
        cancellation.preview(package, quotes=[insuring("laptop")], origin=SHOPPER)


def cancel_another_policy(package: QuotePackage) -> None:
    cancellation.cancel_now(package, quotes=[insuring("ticket")], origin=Cancellation.Origin.STAFF)
    work()


def change_details(package: QuotePackage) -> None:
    modification.change_details(package, {"first_name": "Anna"}, origin="shopper")
    work()


@pytest.mark.parametrize(
    "act",
    [
        price_a_change,
        preview_a_cancellation,
        cancel_another_policy,
        change_details,
        refresh.refresh,
    ],
)
def test_it_is_flagged_whatever_finds_it(both: QuotePackage, act: Act) -> None:
    cancel_by_telephone()

    act(the_package())

    assert insuring("laptop").status == "CANCELLED"
    assert the_package().attention == Attention.REFUND_UNCLEAR


def test_a_booking_that_was_cancelled_before_its_worker_heard_of_it_is_flagged(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "process_then_reset", times=None)
    work()
    sandbox.faults.clear()
    factory.client_for("default").cancel_booking(the_package().package_id, idempotency_key="x")

    let_time_pass()
    work()

    assert (the_package().status, the_operation().state) == ("CANCELLED", "done")
    assert the_package().attention == Attention.REFUND_UNCLEAR


def cancel_what_is_pending(sandbox: Sandbox) -> None:
    """Let XCover give up the booking, for which no refund can be asked: nothing was paid."""
    package = sandbox.store.find_package(the_package().package_id)
    assert package is not None
    package.status = "CANCELLED"
    for quote in package.quotes:
        quote.status = "CANCELLED"
    sandbox.store.save_package(package)


def test_money_that_comes_for_a_booking_that_xcover_gave_up_is_brought_before_a_person(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completion.complete(order, shopper.cart, paid=False)
    work()
    completion.complete(order, shopper.cart, paid=True)
    sandbox.faults.add("confirm_booking", "status", times=None)
    work()
    sandbox.faults.clear()
    cancel_what_is_pending(sandbox)

    let_time_pass()
    work()

    assert the_package().status == "CANCELLED"
    assert the_package().attention == Attention.REFUND_UNCLEAR


def test_a_booking_given_up_before_it_was_paid_for_owes_nobody_anything(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(pays_later=True), shopper.cart, paid=False)
    work()
    cancel_what_is_pending(sandbox)

    refresh.refresh(the_package())

    assert (the_package().status, the_package().attention) == ("CANCELLED", "")


def test_a_cancellation_of_ours_that_a_webhook_tells_of_first_is_no_surprise(
    both: QuotePackage,
) -> None:
    cancellation.cancel_now(both, quotes=[insuring("laptop")], origin=SHOPPER)
    cancel_by_telephone()  # as the worker does, whose answer is still on its way

    refresh.refresh(the_package())

    assert insuring("laptop").status == "CANCELLED"
    assert the_package().attention == ""
