"""An order is cancelled before anything is booked."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover import cover
from django_xcover.models import Decision, OperationState, Quote
from django_xcover.orders import cancellation as order_cancellation
from django_xcover.outbox import lease
from django_xcover.outbox.transitions import transition
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.orders.cancelling.support import cancel, cancels, statuses, the_booking
from tests.shop import ANA, Order

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
# Nothing to cancel.


def test_an_order_without_a_package_is_nobodys_error(order: Order, sandbox: Sandbox) -> None:
    cancel(order)

    assert sandbox.calls() == []


def test_declined_cover_is_left_alone(shopper: Shopper, order: Order) -> None:
    shopper.says(yes=False)
    completion.complete(order, shopper.cart, paid=True)

    cancel(order)
    work()

    assert cancels() == []
    assert the_package().status == "OPTED_OUT"


def test_a_failure_of_ours_does_not_undo_the_shops_cancellation(
    booked: Order, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*args: Any) -> None:
        raise RuntimeError(ANA.email)

    monkeypatch.setattr(order_cancellation, "cancel_by_reference", fail)

    cancel(booked)

    assert (
        "Order ORD-1 (cancelled) is not settled yet and is tried again: RuntimeError" in caplog.text
    )
    assert ANA.email not in caplog.text


def test_a_line_that_the_order_does_not_insure_changes_nothing(booked: Order) -> None:
    cancel(booked, lines=["socks"])

    assert cancels() == []


# Before anything is booked.


def test_a_booking_that_has_not_begun_is_discarded(paid: Order, sandbox: Sandbox) -> None:
    cancel(paid)
    work()

    assert the_booking().state == OperationState.DISCARDED
    assert the_booking().request == {}
    assert cancels() == []
    assert sandbox.calls("create_booking") == []
    assert cover.order_cover(paid).state == "cancelled"


def test_taking_back_a_yes_is_on_record(paid: Order) -> None:
    cancel(paid, lines=["ticket"])

    choices = dict(Quote.objects.values_list("line_reference", "choice"))
    assert choices == {"ticket": "withdrawn", "laptop": "accepted"}
    withdrawn = Decision.objects.get(choice="withdrawn")
    assert withdrawn.quote.line_reference == "ticket"
    assert withdrawn.order_reference == "ORD-1"


def test_a_line_is_left_out_of_a_booking_that_has_not_begun(paid: Order, sandbox: Sandbox) -> None:
    before = the_booking()

    cancel(paid, lines=["ticket"])
    assert the_booking().idempotency_key != before.idempotency_key
    work()

    assert statuses() == {"ticket": "RECEIVED", "laptop": "CONFIRMED"}
    assert the_booking().state == OperationState.DONE
    assert cancels() == []
    assert the_package().attention == ""


def test_a_worker_that_has_just_read_the_body_does_not_book_the_line_that_is_left_out(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line_comes_back_first(*args: Any, **facts: Any) -> bool:
        monkeypatch.setattr(lease, "transition", transition)
        cancel(paid, lines=["ticket"])
        return transition(*args, **facts)

    monkeypatch.setattr(lease, "transition", line_comes_back_first)
    work()
    assert sandbox.calls("create_booking") == []
    work()

    assert statuses() == {"ticket": "RECEIVED", "laptop": "CONFIRMED"}


def test_a_booking_that_a_line_is_left_out_of_is_handed_over_again(
    paid: Order, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as callbacks:
        cancel(paid, lines=["ticket"])

    handed_over = [getattr(call, "args", None) for call in callbacks]
    assert (the_booking().pk,) in handed_over, "its worker may just have lost it"


def test_one_line_may_be_named_as_a_text(paid: Order) -> None:
    cancel(paid, lines="ticket")
    work()

    assert statuses() == {"ticket": "RECEIVED", "laptop": "CONFIRMED"}


def test_lines_cancelled_one_after_the_other_discard_the_booking(paid: Order) -> None:
    cancel(paid, lines=["ticket"])
    cancel(paid, lines=["laptop"])

    assert the_booking().state == OperationState.DISCARDED


def test_an_unpaid_order_is_not_booked_when_its_payment_comes_after_all(
    accepted: Shopper, order: Order, sandbox: Sandbox
) -> None:
    completion.complete(order, accepted.cart, paid=False)
    cancel(order)
    completion.complete(order, accepted.cart, paid=True)
    work()

    assert sandbox.calls("create_booking") == []
    assert the_package().status == "OPTED_OUT"


def test_a_booking_that_xcover_refused_is_discarded(paid: Order, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    work()
    assert the_booking().state == OperationState.NEEDS_PERSON

    cancel(paid)
    work()

    assert the_booking().state == OperationState.DISCARDED
    assert cancels() == []
    assert len(sandbox.calls("create_booking")) == 1
