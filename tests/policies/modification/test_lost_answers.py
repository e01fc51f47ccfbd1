"""A change whose answer is lost, or whose worker dies: made once all the same."""

from __future__ import annotations

import pytest

from django_xcover.models import QuotePackage
from django_xcover.policies import modification
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package, work
from tests.policies.modification.support import (
    State,
    price,
    the_modification,
    the_modify,
    total_at,
)
from tests.workers import MOMENTS, dies, let_time_pass

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "fault", ["process_then_hang", "process_then_reset", "process_then_status"]
)
def test_an_answer_that_is_lost_after_the_change_is_found_and_not_posted_again(
    booked: QuotePackage, sandbox: Sandbox, fault: str
) -> None:
    found = price(booked)
    modification.settle(found)
    sandbox.faults.add("confirm_modification", fault, times=5, seconds=60, status=500)
    work()
    posts = len(sandbox.calls("confirm_modification"))
    assert the_modification().state == State.REQUESTED
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED
    assert the_package().total_price == total_at(sandbox) == found.price_after
    assert len(sandbox.calls("confirm_modification")) == posts


def test_a_change_without_a_difference_whose_answer_was_lost_is_asked_for_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    modification.settle(price(booked, serial_number="SN-1"))
    sandbox.faults.add("confirm_modification", "process_then_reset", times=5)
    work()
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_worker_that_dies_is_made_up_for(
    booked: QuotePackage, sandbox: Sandbox, moment: str
) -> None:
    found = price(booked)
    modification.settle(found)
    dies(the_modify(), moment)
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED
    assert total_at(sandbox) == found.price_after
    assert len(sandbox.calls("confirm_modification")) == 1
