"""Confirming a payment that came after the booking: once, whatever happens to the answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_xcover.models import Operation, OperationKind, OperationState
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Order, Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def order(shopper: Shopper, shop: Shop) -> Order:
    """Return an order whose cover is booked, and whose payment has just been reported."""
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completion.complete(order, shopper.cart, paid=False)
    work()
    assert the_package().status == "PENDING_PAYMENT"
    completion.complete(order, shopper.cart, paid=True)
    return order


def the_confirmation() -> Operation:
    """Return the only confirmation of a payment."""
    return Operation.objects.get(kind=OperationKind.CONFIRM_PAYMENT)


def let_time_pass() -> None:
    """Let waiting times pass and leases run out."""
    past = timezone.now() - timedelta(seconds=1)
    Operation.objects.update(next_attempt_at=past, lease_until=past)


@pytest.mark.parametrize(
    "fault", ["process_then_hang", "process_then_reset", "process_then_status"]
)
def test_a_lost_answer_to_a_confirmation_is_found_and_not_confirmed_twice(
    order: Order, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("confirm_booking", fault, times=5, seconds=300, status=500)
    work()
    assert not the_confirmation().outcome_known
    asked = len(sandbox.calls("confirm_booking"))

    let_time_pass()
    work()

    assert the_confirmation().state == OperationState.DONE
    assert the_package().status == "CONFIRMED"
    assert len(sandbox.calls("confirm_booking")) == asked
    assert sandbox.package(the_package().package_id)["status"] == "CONFIRMED"


def test_a_refused_confirmation_is_told_to_a_person_and_not_repeated(
    order: Order, sandbox: Sandbox
) -> None:
    body = {"type": "payment_error", "message": "The payment was not accepted.", "errors": {}}
    sandbox.faults.add("confirm_booking", "status", status=422, body=body)

    work()
    let_time_pass()
    work()

    assert the_confirmation().state == OperationState.NEEDS_PERSON
    assert the_confirmation().error["message"] == "The payment was not accepted."
    assert the_package().status == "PENDING_PAYMENT"
    assert len(sandbox.calls("confirm_booking")) == 1


def test_a_refused_confirmation_is_made_when_a_person_tries_again(
    order: Order, sandbox: Sandbox
) -> None:
    sandbox.faults.add("confirm_booking", "status", status=422, body={"type": "payment_error"})
    work()

    operations.retry(the_confirmation())
    work()

    assert the_confirmation().state == OperationState.DONE
    assert the_package().status == "CONFIRMED"
