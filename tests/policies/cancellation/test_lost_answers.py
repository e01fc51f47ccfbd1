"""A cancellation whose answer is lost, or whose worker dies: neither cover nor refund is."""

from __future__ import annotations

import pytest

from django_xcover import worker
from django_xcover.mirror import refresh
from django_xcover.models import Attention, Operation, OperationKind, OperationState, QuotePackage
from django_xcover.outbox import operations
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package, work
from tests.policies.cancellation.support import (
    SHOPPER,
    STAFF,
    State,
    cancel,
    status_at,
    the_cancel,
    the_cancellation,
)
from tests.workers import MOMENTS, dies, let_time_pass

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize(
    "fault", ["process_then_hang", "process_then_reset", "process_then_status"]
)
def test_an_answer_that_is_lost_after_the_cancellation_costs_neither_cover_nor_refund(
    booked: QuotePackage, sandbox: Sandbox, fault: str, direct: bool
) -> None:
    cancel(booked, direct=direct)
    for name in ("cancel_booking", "confirm_cancellation"):
        sandbox.faults.add(name, fault, times=5, seconds=60, status=500)
    work()
    assert the_cancellation().state == State.REQUESTED
    let_time_pass()
    sandbox.faults.clear()
    work()

    assert status_at(sandbox) == the_package().status == "CANCELLED"
    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == booked.total
    assert the_package().attention == ""


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_that_dies_is_made_up_for(
    booked: QuotePackage, sandbox: Sandbox, moment: str, direct: bool
) -> None:
    cancel(booked, direct=direct)
    dies(the_cancel(), moment)
    let_time_pass()
    work()

    assert the_cancel().state == OperationState.DONE
    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == booked.total
    assert status_at(sandbox) == "CANCELLED"


@pytest.mark.parametrize("direct", [True, False])
def test_an_answer_lost_for_longer_than_xcover_remembers_keys_is_found_by_reading(
    booked: QuotePackage, sandbox: Sandbox, direct: bool
) -> None:
    cancel(booked, direct=direct)
    for name in ("cancel_booking", "confirm_cancellation"):
        sandbox.faults.add(name, "process_then_reset", times=5)
    work()
    sandbox.faults.clear()
    sandbox.clock.advance(hours=49)
    let_time_pass()
    work()

    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == (None if direct else booked.total)
    assert the_package().attention == (Attention.REFUND_UNCLEAR if direct else "")


def test_a_look_that_fails_after_the_cancellation_does_not_cost_its_refund(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancel(booked, direct=False)
    sandbox.faults.add("get_booking", "reset", times=9)
    work()
    assert not the_cancel().outcome_known
    sandbox.faults.clear()
    sandbox.faults.add("confirm_cancellation", "status", status=400)
    let_time_pass()
    work()

    assert the_cancellation().refund == booked.total
    assert the_package().attention == ""


def test_a_repeat_within_the_call_that_is_refused_does_not_cost_its_refund(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancel(booked, direct=False)
    sandbox.faults.add("confirm_cancellation", "process_then_reset")
    sandbox.faults.add("confirm_cancellation", "status", status=422)
    work()

    assert the_cancellation().refund == booked.total
    assert the_package().attention == ""


def test_a_look_that_fails_behind_such_a_refusal_leaves_the_doubt(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancel(booked, direct=False)
    sandbox.faults.add("confirm_cancellation", "process_then_reset")
    sandbox.faults.add("confirm_cancellation", "status", status=422)
    sandbox.faults.add("get_booking", "reset", times=9)
    work()

    assert not the_cancel().outcome_known


def test_a_repeat_reads_before_it_posts(booked: QuotePackage, sandbox: Sandbox) -> None:
    cancellation.cancel_now(booked, origin=STAFF)
    sandbox.faults.add("cancel_booking", "garbage")
    work()
    before = len(sandbox.calls())
    let_time_pass()
    work()

    names = [call.operation for call in sandbox.calls()][before:]
    assert names.index("get_quote") < names.index("cancel_booking")
    assert len({call.idempotency_key for call in sandbox.calls("cancel_booking")}) == 1


def test_a_booking_that_xcover_suddenly_does_not_know_is_not_taken_for_cancelled(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancellation.cancel_now(booked, origin=STAFF)
    sandbox.faults.add("cancel_booking", "reset", times=5)
    work()
    for name in ("get_quote", "cancel_booking"):
        sandbox.faults.add(name, "status", status=404, times=None)
    let_time_pass()
    work()

    assert the_cancellation().state == State.REFUSED
    assert the_package().attention == Attention.CANCELLATION_REFUSED


def test_an_answer_that_the_booking_does_not_show_is_looked_at_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    answer = {
        "id": booked.package_id,
        "status": "CANCELLED",
        "currency": "GBP",
        "total_refund": 1,
        "quotes": [],
    }
    cancellation.cancel_now(booked, origin=STAFF)
    sandbox.faults.add("cancel_booking", "status", status=200, body=answer)
    work()

    assert the_cancellation().state == State.REQUESTED
    assert the_package().status == "CONFIRMED"
    assert the_cancel().state == OperationState.PENDING

    let_time_pass()
    work()
    assert the_cancellation().refund == booked.total


def test_a_mirror_that_was_refreshed_first_is_no_surprise(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancel(booked, direct=True)
    sandbox.faults.add("cancel_booking", "process_then_reset", times=5)
    work()
    sandbox.faults.clear()
    refresh.refresh(booked)
    assert the_package().status == "CANCELLED"
    let_time_pass()
    work()

    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == booked.total
    assert the_package().attention == ""


def test_a_stuck_operation_that_waits_for_a_person_does_not_hold_up_a_cancellation(
    booked: QuotePackage,
) -> None:
    stuck = operations.enqueue(booked, OperationKind.SEND_EMAIL)
    Operation.objects.filter(pk=stuck.pk).update(state=OperationState.NEEDS_PERSON)
    cancellation.cancel_now(booked, origin=SHOPPER)

    worker.run(the_cancel().pk)

    assert the_package().status == "CANCELLED"
