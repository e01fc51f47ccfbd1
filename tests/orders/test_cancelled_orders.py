"""An order cancelled in the shop: before, while and after its cover is booked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import cover, signals, worker
from django_xcover.booking import booking
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer
from django_xcover.clients import factory
from django_xcover.formats import format_amount
from django_xcover.models import (
    Attention,
    Cancellation,
    Choice,
    Decision,
    Flag,
    Operation,
    OperationKind,
    OperationState,
    Quote,
)
from django_xcover.orders import cancellation as order_cancellation
from django_xcover.outbox import lease
from django_xcover.outbox.transitions import transition
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from django_xcover.support import flag_texts
from django_xcover.types import Money
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import ANA, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = Cancellation.State
Cancel = Callable[..., None]


@pytest.fixture
def order(shop: Shop) -> Order:
    return shop.order()


@pytest.fixture
def accepted(shopper: Shopper) -> Shopper:
    """Return a shopper who has said yes to cover of tickets and of a laptop."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    return shopper


@pytest.fixture
def paid(accepted: Shopper, order: Order) -> Order:
    """Return a paid order whose booking has not begun."""
    completion.complete(order, accepted.cart, paid=True)
    return order


@pytest.fixture
def booked(paid: Order) -> Order:
    """Return an order whose two policies are booked."""
    work()
    return paid


@pytest.fixture
def pending(accepted: Shopper, shop: Shop) -> Order:
    """Return an order that is booked and not paid for."""
    order = shop.order(pays_later=True)
    completion.complete(order, accepted.cart, paid=False)
    work()
    return order


@pytest.fixture
def needing_attention() -> Iterator[list[str]]:
    """Return the reasons that `attention_needed` has announced."""
    heard: list[str] = []

    def hear(sender: type, reason: str, **kwargs: Any) -> None:
        heard.append(reason)

    signals.attention_needed.connect(hear)
    yield heard
    signals.attention_needed.disconnect(hear)


def cancel(order: Order, **facts: Any) -> None:
    signals.order_cancelled.send(sender=Order, order=order, **facts)


def the_booking() -> Operation:
    return Operation.objects.get(kind=OperationKind.BOOK)


def cancels() -> list[Operation]:
    return list(Operation.objects.filter(kind=OperationKind.CANCEL).order_by("pk"))


def statuses() -> dict[str, str]:
    """Return the status of each line's quote."""
    return dict(Quote.objects.values_list("line_reference", "status"))


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


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


# While it is being booked.


def test_an_order_cancelled_during_the_call_is_cancelled_as_soon_as_it_is_booked(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = booking._complete

    def cancelled_meanwhile(*args: Any) -> PackageAnswer:
        cancel(paid)
        worker.run(cancels()[0].pk)
        assert sandbox.calls("cancel_booking") == [], "the booking goes first"
        return complete(*args)

    monkeypatch.setattr(booking, "_complete", cancelled_meanwhile)
    work()
    assert the_package().status == "CONFIRMED"
    work()

    assert the_package().status == "CANCELLED"
    assert Cancellation.objects.get().state == State.CONFIRMED
    assert cover.order_cover(paid).state == "cancelled"
    assert the_package().attention == ""


def test_a_policy_that_xcover_left_out_does_not_keep_the_others_from_being_cancelled(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    complete = booking._complete

    def cancelled_meanwhile(*args: Any) -> PackageAnswer:
        cancel(paid)
        return complete(*args)

    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    monkeypatch.setattr(booking, "_complete", cancelled_meanwhile)
    work()
    work()

    assert sorted(statuses().values()) == ["CANCELLED", "RECEIVED"]
    assert Cancellation.objects.get().state == State.CONFIRMED


def test_a_worker_that_has_the_booking_and_has_not_called_yet_does_not_call(
    paid: Order, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_for = factory.client_for

    def cancelled_meanwhile(account: str) -> XCoverClient:
        monkeypatch.setattr(factory, "client_for", client_for)
        cancel(paid)
        return client_for(account)

    monkeypatch.setattr(factory, "client_for", cancelled_meanwhile)
    work()
    work()

    assert sandbox.calls("create_booking") == []
    assert the_booking().state == OperationState.DISCARDED
    assert Cancellation.objects.get().state == State.NOT_NEEDED


def test_a_line_of_a_booking_under_way_is_cancelled_when_it_is_done(
    paid: Order, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "process_then_reset", times=5)
    work()
    assert not the_booking().outcome_known
    cancel(paid, lines=["ticket"])
    let_time_pass()
    work()

    assert statuses() == {"ticket": "CANCELLED", "laptop": "CONFIRMED"}
    assert the_package().attention == ""


@pytest.mark.parametrize("happened", [True, False])
def test_a_booking_of_unknown_outcome_is_read_and_never_posted_again(
    paid: Order, sandbox: Sandbox, happened: bool
) -> None:
    fault = "process_then_reset" if happened else "reset"
    sandbox.faults.add("create_booking", fault, times=5)
    work()
    posts = len(sandbox.calls("create_booking"))
    cancel(paid)
    let_time_pass()
    work()

    assert len(sandbox.calls("create_booking")) == posts
    assert the_package().status == ("CANCELLED" if happened else "RECEIVED")
    expected = State.CONFIRMED if happened else State.NOT_NEEDED
    assert Cancellation.objects.get().state == expected
    assert not Operation.objects.unfinished().exists()


@pytest.mark.parametrize("happened", [True, False])
def test_a_stuck_booking_of_unknown_outcome_is_read_and_left_to_nobody(
    paid: Order, sandbox: Sandbox, happened: bool
) -> None:
    fault = "process_then_reset" if happened else "reset"
    sandbox.faults.add("create_booking", fault, times=5)
    work()
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    cancel(paid)
    work()
    assert Cancellation.objects.get().state == State.REQUESTED, "a call may still be under way"
    let_time_pass()
    work()

    expected = State.CONFIRMED if happened else State.NOT_NEEDED
    assert Cancellation.objects.get().state == expected
    assert the_booking().state == OperationState.DISCARDED
    assert the_package().status == ("CANCELLED" if happened else "RECEIVED")


def test_what_was_never_booked_says_so(paid: Order, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "reset", times=5)
    work()
    cancel(paid)
    let_time_pass()
    work()

    told = "This cover is not in force yet, so there is nothing to cancel."
    assert cancellation.refusal_of(Cancellation.objects.get()) == told


# While it waits for the money.


def test_a_cancelled_order_still_shows_the_price_agreed_beside_the_one_booked(
    accepted: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    agreed = list(Quote.objects.order_by("pk").values_list("price", flat=True))
    sandbox.faults.add("create_booking", "wrong_price")
    order = shop.order(pays_later=True)
    completion.complete(order, accepted.cart, paid=False)
    work()

    cancel(order)

    quotes = list(Quote.objects.order_by("pk"))
    assert {quote.choice for quote in quotes} == {Choice.WITHDRAWN}
    assert [quote.chosen_price for quote in quotes] == agreed
    assert [quote.price for quote in quotes] != agreed
    why, _what_to_do = flag_texts.about(Flag.objects.get(), the_package(), quotes)
    assert format_amount(Money(agreed[0], the_package().currency)) in why


def test_a_pending_booking_is_not_confirmed_when_the_money_comes_after_all(
    pending: Order, sandbox: Sandbox
) -> None:
    cancel(pending)
    completion.complete(pending, paid=True)
    work()

    assert sandbox.calls("confirm_booking") == []
    assert cancels() == []
    assert cover.order_cover(pending).state == "cancelled"


def test_a_payment_that_is_being_confirmed_is_stopped_in_time(
    pending: Order, sandbox: Sandbox
) -> None:
    completion.complete(pending, paid=True)
    cancel(pending)
    work()

    assert sandbox.calls("confirm_booking") == []
    assert the_package().status == "PENDING_PAYMENT"


def test_a_line_taken_back_before_the_payment_is_cancelled_behind_it(
    pending: Order,
) -> None:
    cancel(pending, lines=["ticket"])
    completion.complete(pending, paid=True)
    completion.complete(pending, paid=True)
    work()

    assert statuses() == {"ticket": "CANCELLED", "laptop": "CONFIRMED"}
    assert len(cancels()) == 1


def test_a_payment_confirmed_without_an_answer_is_cancelled_behind_it(
    pending: Order, sandbox: Sandbox
) -> None:
    completion.complete(pending, paid=True)
    sandbox.faults.add("confirm_booking", "process_then_reset", times=5)
    work()
    cancel(pending)
    let_time_pass()
    work()

    assert the_package().status == "CANCELLED"


# After it is booked.


def test_a_cancelled_order_cancels_all_its_policies(
    booked: Order, sandbox: Sandbox, django_capture_on_commit_callbacks: Any
) -> None:
    total = the_package().total

    cancel(booked, reason="Returned")
    work()

    assert the_package().status == "CANCELLED"
    found = Cancellation.objects.get()
    assert (found.origin, found.reason, found.refund) == ("shop", "Returned", total)
    assert len(sandbox.calls("cancel_booking")) == 1
    assert cover.order_cover(booked).state == "cancelled"


def test_a_card_number_in_the_shops_reason_costs_the_reason_and_not_the_cancellation(
    booked: Order,
) -> None:
    cancel(booked, reason="Refunded to 4111 1111 1111 1111")
    work()

    assert the_package().status == "CANCELLED"
    assert Cancellation.objects.get().reason == ""


def test_a_returned_line_cancels_its_policy_only(booked: Order) -> None:
    cancel(booked, lines=["laptop"])
    work()

    assert statuses() == {"ticket": "CONFIRMED", "laptop": "CANCELLED"}
    assert cover.order_cover(booked).state == "partly_cancelled"


def test_an_order_cancelled_again_and_again_is_cancelled_once(
    booked: Order, sandbox: Sandbox
) -> None:
    cancel(booked, lines=["ticket"])
    cancel(booked)
    cancel(booked)
    work()
    cancel(booked)
    work()

    assert the_package().status == "CANCELLED"
    assert len(cancels()) == 2
    assert len(sandbox.calls("cancel_booking")) == 2


def test_cover_that_has_ended_is_left_out(booked: Order) -> None:
    Quote.objects.filter(line_reference="ticket").update(policy_end_date=timezone.now())

    cancel(booked)
    work()

    assert statuses()["laptop"] == "CANCELLED"
    assert [quote.line_reference for quote in Cancellation.objects.get().quotes.all()] == ["laptop"]


def test_a_refusal_is_brought_before_a_person_because_nobody_waits_for_it(
    booked: Order,
    sandbox: Sandbox,
    needing_attention: list[str],
    django_capture_on_commit_callbacks: Any,
) -> None:
    sandbox.faults.add("cancel_booking", "status", status=422)
    cancel(booked)
    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert needing_attention == [Attention.CANCELLATION_REFUSED]
    assert Cancellation.objects.get().state == State.REFUSED
