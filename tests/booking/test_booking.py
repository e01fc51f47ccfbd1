"""The one hard path: from paid to booked, exactly once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from django_xcover import signals
from django_xcover.clients import factory
from django_xcover.models import Attention, Operation, OperationState, Quote, QuotePackage
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import ANA, Shop, laptop, ticket
from tests.workers import MOMENTS, dies, let_time_pass

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def paid(shopper: Shopper, shop: Shop) -> Operation:
    """Return the booking of a paid order, to be carried out."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


@pytest.fixture
def booked() -> Iterator[list[tuple[str, str]]]:
    """Return what `policy_booked` has announced."""
    heard: list[tuple[str, str]] = []

    def hear(sender: type, package: QuotePackage, previous_status: str, **kwargs: Any) -> None:
        heard.append((package.package_id, previous_status))

    signals.policy_booked.connect(hear)
    yield heard
    signals.policy_booked.disconnect(hear)


def bookings_at(sandbox: Sandbox) -> list[str]:
    """Return the ids of the packages that are booked at XCover."""
    return [p["id"] for p in sandbox.packages() if p["status"] in {"CONFIRMED", "PENDING_PAYMENT"}]


@pytest.mark.parametrize(
    "fault", ["process_then_hang", "process_then_reset", "process_then_status"]
)
def test_an_answer_that_is_lost_after_the_booking_is_found_and_not_posted_again(
    paid: Operation, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("create_booking", fault, times=5, seconds=0.05, status=500)
    work()
    let_time_pass()
    work()

    assert the_operation().state == OperationState.DONE
    assert the_package().status == "CONFIRMED"
    assert bookings_at(sandbox) == [the_package().package_id]


def test_an_unknown_outcome_is_read_before_it_is_posted_again(
    paid: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "garbage", times=1)
    work()
    assert not the_operation().outcome_known
    posts = len(sandbox.calls("create_booking"))
    let_time_pass()
    work()

    operations_after = [call.operation for call in sandbox.calls()][posts:]
    assert "get_quote" in operations_after
    assert the_package().status == "CONFIRMED"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_that_dies_is_made_up_for(paid: Operation, sandbox: Sandbox, moment: str) -> None:
    dies(paid, moment)
    assert the_operation().state == OperationState.RUNNING

    let_time_pass()
    work()

    assert the_operation().state == OperationState.DONE
    assert bookings_at(sandbox) == [the_package().package_id]
    assert len(sandbox.calls("create_booking")) == 1


def test_a_price_that_differs_from_the_price_shown_is_flagged(
    paid: Operation, sandbox: Sandbox, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[str] = []

    def hear(sender: type, reason: str, **kwargs: Any) -> None:
        heard.append(reason)

    signals.attention_needed.connect(hear)
    sandbox.faults.add("create_booking", "wrong_price")
    try:
        with django_capture_on_commit_callbacks(execute=True):
            work()
    finally:
        signals.attention_needed.disconnect(hear)

    quote = Quote.objects.get()
    assert the_package().status == "CONFIRMED"
    assert the_package().attention == Attention.PRICE_DIFFERS
    assert quote.price != quote.chosen_price
    assert heard == [Attention.PRICE_DIFFERS]


@pytest.mark.parametrize("how", ["null", "absent"])
def test_a_2xx_without_the_policy_is_looked_at_again_and_then_flagged(
    paid: Operation, sandbox: Sandbox, how: str
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how=how)

    work()

    assert len(sandbox.calls("get_booking")) == 1
    assert the_package().attention == Attention.POLICY_MISSING


def test_a_package_cancelled_at_xcover_is_not_taken_for_booked(
    paid: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "process_then_reset", times=5)
    work()
    _cancel_at(sandbox, the_package().package_id)
    let_time_pass()
    work()

    assert the_package().status == "CANCELLED"
    assert Quote.objects.get().status == "CANCELLED"
    assert len(bookings_at(sandbox)) == 0


def test_the_booking_of_a_package_that_was_opted_out_needs_a_person(
    paid: Operation, sandbox: Sandbox
) -> None:
    client = factory.client_for("default")
    client.opt_out(the_package().package_id, idempotency_key="elsewhere")

    work()

    assert the_operation().state == OperationState.NEEDS_PERSON
    assert the_operation().error["status"] == 422
    assert the_package().status == "RECEIVED"


def test_booked_is_announced_once_after_the_commit(
    paid: Operation,
    booked: list[tuple[str, str]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        work()
        assert booked == []
    work()

    assert booked == [(the_package().package_id, "RECEIVED")]


def test_a_receiver_that_raises_undoes_no_booking(
    paid: Operation, django_capture_on_commit_callbacks: Any
) -> None:
    def fail(**kwargs: Any) -> None:
        raise RuntimeError("the shop's receiver")

    signals.policy_booked.connect(fail)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            work()
    finally:
        signals.policy_booked.disconnect(fail)

    assert the_package().status == "CONFIRMED"


def test_two_policies_of_one_order_are_booked_in_one_call(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    offer = shopper.says(yes=True, line=1)
    completion.complete(shop.order(), shopper.cart, paid=True)

    work()

    assert len(sandbox.calls("create_booking")) == 1
    package = the_package()
    assert package.total_price == offer.premium.amount
    assert {quote.status for quote in package.quotes.all()} == {"CONFIRMED"}
    assert package.policyholder_email == "ana@example.com"
    assert package.booked_at is not None


def test_a_booking_that_waits_is_found_by_the_address_of_its_order(
    paid: Operation, sandbox: Sandbox
) -> None:
    assert the_package().policyholder_email == "ana@example.com"

    sandbox.faults.add("create_booking", "status", status=422)
    work()

    assert the_operation().state == OperationState.NEEDS_PERSON
    assert the_package().policyholder_email == "ana@example.com"


def test_an_address_that_is_mended_in_the_order_replaces_the_refused_one(
    paid: Operation, sandbox: Sandbox, shop: Shop
) -> None:
    sandbox.faults.add("create_booking", "status", times=2, status=422)
    work()
    shop.orders["ORD-1"].policyholder = replace(ANA, email="ana.rossi@example.com")
    operations.retry(the_operation())
    work()

    assert the_package().policyholder_email == "ana.rossi@example.com"


def test_an_address_longer_than_its_column_costs_no_order(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    endless = replace(ANA, email=f"{'a' * 250}@example.com")
    completion.complete(shop.order(policyholder=endless), shopper.cart, paid=True)

    assert the_package().policyholder_email == ""
    assert the_operation().request["policyholder"]["email"] == endless.email


def test_once_it_is_booked_the_address_is_xcovers(
    paid: Operation, shopper: Shopper, shop: Shop
) -> None:
    work()
    shop.orders["ORD-1"].policyholder = replace(ANA, email="ben@example.com")
    completion.complete(shop.orders["ORD-1"], shopper.cart, paid=True)

    assert the_package().policyholder_email == "ana@example.com"


@pytest.mark.parametrize("currency", ["JPY", "KWD", "GBP"])
def test_money_is_exact_in_every_currency(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, currency: str
) -> None:
    shopper.cart = shopper.cart.but(currency=currency, items=(ticket(price="133"),))
    shown = shopper.says(yes=True).premium
    completion.complete(shop.order(), shopper.cart, paid=True)

    work()

    package = the_package()
    at_xcover = sandbox.package(package.package_id)
    assert package.total == shown
    assert str(at_xcover["total_price"].normalize()) == str(shown.amount.normalize())
    assert package.attention == ""


def _cancel_at(sandbox: Sandbox, package_id: str) -> None:
    client = factory.client_for("default")
    client.cancel_booking(package_id, idempotency_key="by-phone")
