"""Which status may follow which."""

from __future__ import annotations

import pytest

from django_xcover.models import (
    Cancellation,
    Modification,
    OperationState,
    QuotePackage,
    Renewal,
    Status,
)
from django_xcover.outbox import transitions
from django_xcover.outbox.transitions import may_follow, transition
from tests.conftest import Shopper, the_package

pytestmark = pytest.mark.every_engine

FINAL = [Status.CANCELLED, Status.OPTED_OUT, Status.RENEWED, Status.FAILED, Status.DELETED]


@pytest.mark.parametrize("after", list(Status))
def test_nothing_follows_a_cancellation(after: Status) -> None:
    assert not may_follow(Status.CANCELLED, after)


@pytest.mark.parametrize("before", FINAL)
def test_not_even_an_unknown_status_follows_a_final_one(before: Status) -> None:
    assert not may_follow(before, "ON_HOLD")


def test_an_unknown_status_may_come_and_go() -> None:
    assert may_follow(Status.CONFIRMED, "ON_HOLD")
    assert may_follow("ON_HOLD", Status.CONFIRMED)


def test_every_status_has_a_row_in_the_table() -> None:
    assert set(transitions.STATUSES) == set(Status)
    assert set(transitions.OPERATIONS) == set(OperationState)
    assert set(transitions.CANCELLATIONS) == set(Cancellation.State)
    assert set(transitions.MODIFICATIONS) == set(Modification.State)
    assert set(transitions.RENEWALS) == set(Renewal.State)


@pytest.mark.django_db
def test_an_illegal_move_is_logged_and_changes_nothing(
    shopper: Shopper, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.sees()
    QuotePackage.objects.update(status=Status.CANCELLED)
    package = the_package()

    assert not transition(package, Status.CONFIRMED)

    assert the_package().status == Status.CANCELLED
    assert "CONFIRMED cannot follow CANCELLED" in caplog.text


@pytest.mark.django_db
def test_of_two_that_move_the_same_row_only_one_wins(shopper: Shopper) -> None:
    shopper.sees()
    one, other = the_package(), the_package()

    assert transition(one, Status.CONFIRMED)
    assert not transition(other, Status.OPTED_OUT)

    assert the_package().status == Status.CONFIRMED
