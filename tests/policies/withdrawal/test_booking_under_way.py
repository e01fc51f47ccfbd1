"""Withdrawing while the booking is under way: the money is owed once, whatever XCover did."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_xcover import worker
from django_xcover.booking import booking
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer
from django_xcover.clients import factory
from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
    Status,
    Withdrawal,
)
from django_xcover.sandbox import Sandbox
from django_xcover.support import flag_texts, give_up
from django_xcover.types import Money
from tests.conftest import resolve_flags, the_package, work
from tests.policies.withdrawal.support import (
    State,
    cancels,
    is_owed,
    let_time_pass,
    line,
    prepared,
    price_of,
    states,
    statuses,
    the_booking,
    the_flag,
)

pytestmark = pytest.mark.django_db


def during_the_call(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> None:
    complete = booking._complete

    def meanwhile(*args: Any) -> PackageAnswer:
        call()
        return complete(*args)

    monkeypatch.setattr(booking, "_complete", meanwhile)


def test_a_statement_made_during_the_call_is_carried_out_as_soon_as_the_policy_exists(
    paid: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def states_it() -> None:
        states(prepared(paid))
        worker.run(Operation.objects.get(kind=OperationKind.CANCEL).pk)
        assert sandbox.calls("cancel_booking") == [], "the booking goes first"

    during_the_call(monkeypatch, states_it)
    work()
    stated = Withdrawal.objects.get()
    assert (stated.cancellation.state, cancels()) == (State.REQUESTED, 1)
    work()

    assert set(statuses().values()) == {Status.CANCELLED}
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert the_package().attention == ""


def test_a_policy_that_xcover_left_out_comes_back_with_the_one_that_it_cancelled(
    paid: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    during_the_call(monkeypatch, lambda: states(prepared(paid)))
    work()
    work()

    assert sorted(statuses().values()) == ["CANCELLED", "RECEIVED"]
    is_owed(Cancellation.objects.get(), price_of("ticket", "laptop"))


def test_a_worker_that_has_the_booking_and_has_not_called_yet_does_not_call(
    paid: QuotePackage,
    sandbox: Sandbox,
    announced: list[Cancellation],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client_for = factory.client_for

    def stated_meanwhile(account: str) -> XCoverClient:
        monkeypatch.setattr(factory, "client_for", client_for)
        states(prepared(paid))
        return client_for(account)

    monkeypatch.setattr(factory, "client_for", stated_meanwhile)
    work()
    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert sandbox.calls("create_booking") == []
    assert the_booking().state == OperationState.DISCARDED
    assert the_booking().error["message"] == "The customer has withdrawn."
    assert announced == [Cancellation.objects.get()]
    is_owed(announced[0], price_of("ticket", "laptop"))


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("state", [OperationState.PENDING, OperationState.NEEDS_PERSON])
def test_a_booking_of_unknown_outcome_is_read_and_the_money_is_owed_either_way(
    paid: QuotePackage, sandbox: Sandbox, state: OperationState, happened: bool
) -> None:
    sandbox.faults.add("create_booking", "process_then_reset" if happened else "reset", times=5)
    work()
    posts = len(sandbox.calls("create_booking"))
    Operation.objects.update(state=state)

    stated = states(prepared(paid))
    work()
    assert stated.cancellation.state == State.REQUESTED, "a call may still be under way"
    let_time_pass()
    work()

    assert len(sandbox.calls("create_booking")) == posts
    assert set(statuses().values()) == {Status.CANCELLED if happened else Status.RECEIVED}
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert not Operation.objects.unfinished().exists()


def test_a_policy_in_force_and_one_that_was_never_booked_are_one_statement(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    work()
    assert sorted(statuses().values()) == ["CONFIRMED", "RECEIVED"]

    stated = states(prepared(paid))
    work()

    assert sorted(statuses().values()) == ["CANCELLED", "RECEIVED"]
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    lines = {read["quote_id"]: read["refund"] for read in stated.cancellation.lines}
    assert lines.keys() == {line("ticket").quote_id, line("laptop").quote_id}


def test_a_premium_that_staff_may_have_returned_is_not_owed_a_second_time(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    work()
    resolve_flags(the_package(), note="The premium of the missing policy was refunded.")
    missing = Quote.objects.get(status=Status.RECEIVED)

    stated = states(prepared(paid, missing))

    assert stated.cancellation.refund is None
    assert the_package().attention == Attention.REFUND_UNCLEAR
    what, to_do = flag_texts.about(the_flag(), the_package(), list(Quote.objects.all()))
    assert missing.policy_name in what
    assert "whether the premium was returned" in to_do


def test_a_premium_that_was_returned_with_the_booking_given_up_is_not_owed_a_second_time(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    work()
    give_up.give_up(the_booking(), note="Refunded by hand.")

    stated = states(prepared(paid))

    assert stated.cancellation.refund is None
    assert the_package().attention == Attention.REFUND_UNCLEAR


def test_a_premium_that_staff_are_asked_to_return_is_owed_and_compared_by_a_person(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    work()
    missing = Quote.objects.get(status=Status.RECEIVED)

    stated = states(prepared(paid, missing))

    is_owed(stated.cancellation, Money(missing.price, paid.currency))
    reasons = set(the_package().flags.open().values_list("reason", flat=True))
    assert reasons == {Attention.POLICY_MISSING, Attention.REFUND_UNCLEAR}
