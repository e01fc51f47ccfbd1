"""A customer's statement counts from the moment it is made, whatever XCover does meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.template.loader import render_to_string
from django.utils import timezone, translation

from django_xcover import signals
from django_xcover.clients import circuit_breaker
from django_xcover.exceptions import AlreadyCancelled, CoverEnded, NotCancellable, PreviewExpired
from django_xcover.mirror import refresh
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
    WithdrawalsAreFinal,
)
from django_xcover.orders import cancellation as with_orders
from django_xcover.policies import withdrawal as withdrawing
from django_xcover.policies.withdrawal import notices
from django_xcover.sandbox import Sandbox
from tests.buying import buys
from tests.conftest import Shopper, the_package, work
from tests.policies.withdrawal.support import prepared, states
from tests.shop import SHOP, Adapter, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = Cancellation.State


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking with one policy."""
    return buys(shopper, shop, ticket())


@pytest.fixture
def pair(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking with two policies."""
    return buys(shopper, shop, ticket(), laptop())


@pytest.fixture
def heard() -> Iterator[list[Withdrawal]]:
    """Return the statements that `withdrawal_received` has announced."""
    found: list[Withdrawal] = []

    def hear(sender: type, withdrawal: Withdrawal, **kwargs: Any) -> None:
        found.append(withdrawal)

    signals.withdrawal_received.connect(hear)
    yield found
    signals.withdrawal_received.disconnect(hear)


def is_down(sandbox: Sandbox) -> None:
    for call in ("cancel_booking", "confirm_cancellation", "get_booking"):
        sandbox.faults.add(call, "status", times=None, status=503)


def tries_again() -> None:
    """Let the next attempt of the cancellation be due, and made."""
    Operation.objects.filter(kind=OperationKind.CANCEL).update(next_attempt_at=timezone.now())
    work()


def test_a_statement_made_while_xcover_is_down_is_on_record_at_once_and_carried_out_later(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    is_down(sandbox)
    before = timezone.now()

    stated = states(prepared(booked), name="Ana Costa")
    work()

    assert before <= stated.made_at <= timezone.now()
    assert "Ana Costa" in stated.statement
    operation = Operation.objects.get(kind=OperationKind.CANCEL)
    assert (operation.state, operation.failures) == (OperationState.PENDING, 1)

    sandbox.faults.clear()
    tries_again()

    stated.cancellation.refresh_from_db()
    assert stated.cancellation.state == State.CONFIRMED
    assert stated.cancellation.refund is not None
    assert booked.quotes.get().status == Status.CANCELLED
    assert Withdrawal.objects.get().made_at == stated.made_at


@pytest.mark.parametrize("answer", [500, 401, 403, 429])
def test_whatever_keeps_xcover_from_naming_the_refund_keeps_nobody_from_withdrawing(
    booked: QuotePackage, sandbox: Sandbox, answer: int
) -> None:
    sandbox.faults.add("cancel_booking", "status", times=None, status=answer)

    draft = prepared(booked)

    assert (draft.state, draft.refund) == (State.DRAFT, None)
    assert states(draft).cancellation.state == State.REQUESTED


def test_a_preview_that_xcover_refuses_keeps_nobody_from_withdrawing(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("cancel_booking", "status", times=None, status=422)

    draft = prepared(booked)
    assert (draft.state, draft.refund) == (State.DRAFT, None)
    stated = states(draft)
    work()

    stated.cancellation.refresh_from_db()
    assert stated.cancellation.state == State.REFUSED
    assert the_package().attention == Attention.CANCELLATION_REFUSED


def test_cover_that_xcover_calls_not_cancellable_is_withdrawn_from_all_the_same(
    booked: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "refresh_once", lambda *args, **kwargs: None)
    Quote.objects.update(can_be_cancelled=False)

    stated = states(prepared(booked))
    work()

    assert Withdrawal.objects.get() == stated
    assert booked.quotes.get().status == Status.CANCELLED


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"status": Status.RENEWED}, NotCancellable),
        ({"status": Status.FAILED}, NotCancellable),
        ({"policy_end_date": timezone.now()}, CoverEnded),
    ],
)
def test_what_is_no_cover_any_more_is_nothing_to_withdraw_from(
    booked: QuotePackage, facts: dict[str, Any], refusal: type[Exception]
) -> None:
    Quote.objects.update(**facts)

    with pytest.raises(refusal):
        prepared(booked)

    assert not Cancellation.objects.exists()


def test_an_open_circuit_spares_the_shopper_the_wait(
    booked: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_open = circuit_breaker.BreakerState(account="default", circuit=circuit_breaker.Circuit.OPEN)
    monkeypatch.setattr(circuit_breaker, "state", lambda account: is_open)

    assert prepared(booked).state == State.DRAFT
    assert sandbox.calls("cancel_booking") == []


def test_a_refusal_by_xcover_goes_to_a_person_and_the_statement_stays(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancellation = prepared(booked)
    stated = states(cancellation)
    sandbox.faults.add("confirm_cancellation", "status", times=None, status=422)

    work()

    cancellation.refresh_from_db()
    assert cancellation.state == State.REFUSED
    assert the_package().attention == Attention.CANCELLATION_REFUSED
    assert states(cancellation) == stated


def test_after_five_failures_a_person_is_asked(booked: QuotePackage, sandbox: Sandbox) -> None:
    is_down(sandbox)
    states(prepared(booked))

    for _attempt in range(5):
        tries_again()

    operation = Operation.objects.get(kind=OperationKind.CANCEL)
    assert operation.state == OperationState.NEEDS_PERSON


def test_a_statement_outlives_the_preview_it_was_made_on(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancellation = prepared(booked)
    states(cancellation)
    is_down(sandbox)
    work()
    sandbox.faults.clear()
    Cancellation.objects.update(confirm_before=timezone.now() - timedelta(hours=1))

    tries_again()

    cancellation.refresh_from_db()
    assert cancellation.state == State.CONFIRMED
    confirmed, cancelled = sandbox.calls("confirm_cancellation"), sandbox.calls("cancel_booking")
    keys = {call.idempotency_key for call in (*confirmed, *cancelled)}
    assert (len(cancelled), len(keys)) == (2, 3)


def test_a_refund_shown_that_is_no_longer_right_is_looked_at_again(booked: QuotePackage) -> None:
    cancellation = prepared(booked)
    Cancellation.objects.update(confirm_before=timezone.now() - timedelta(seconds=1))

    with pytest.raises(PreviewExpired):
        states(cancellation)

    cancellation.refresh_from_db()
    assert cancellation.state == State.EXPIRED
    assert not Withdrawal.objects.exists()


def test_a_draft_shows_no_refund_so_none_of_it_can_be_outdated(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    is_down(sandbox)
    draft = prepared(booked)

    with time_machine.travel(timezone.now() + timedelta(days=3)):
        assert states(draft).cancellation == draft


# The same again


def test_the_same_statement_twice_is_one(
    booked: QuotePackage,
    sandbox: Sandbox,
    heard: list[Withdrawal],
    django_capture_on_commit_callbacks: Any,
) -> None:
    cancellation = prepared(booked)

    with django_capture_on_commit_callbacks(execute=True):
        first, second = states(cancellation, name="Ana"), states(cancellation, name="Somebody")
    work()

    assert first == second == states(cancellation)
    assert heard == [first]
    assert len(sandbox.calls("confirm_cancellation")) == 1
    assert Withdrawal.objects.get().name == "Ana"


def test_two_tabs_with_a_preview_each_make_one_statement(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    one, other = prepared(booked), prepared(booked)

    assert states(one) == states(other)
    assert Operation.objects.filter(kind=OperationKind.CANCEL).count() == 1


def test_a_second_tab_with_more_policies_withdraws_from_the_rest(pair: QuotePackage) -> None:
    tickets, device = pair.quotes.order_by("position")
    both, one = prepared(pair, tickets, device), prepared(pair, tickets)
    states(one)

    rest = states(both)
    work()

    assert list(rest.cancellation.quotes.all()) == [device]
    assert device.quote_id in rest.statement
    assert tickets.quote_id not in rest.statement
    assert {quote.status for quote in pair.quotes.all()} == {Status.CANCELLED}


def test_an_order_cancelled_at_the_same_time_carries_the_statement_out(
    booked: QuotePackage,
) -> None:
    cancellation = prepared(booked)
    with_orders.cancel_order(SHOP.orders[booked.order_reference])

    stated = states(cancellation)
    work()

    assert stated.cancellation != cancellation
    assert stated.cancellation.origin == Cancellation.Origin.SHOP
    assert Operation.objects.filter(kind=OperationKind.CANCEL).count() == 1
    assert booked.quotes.get().status == Status.CANCELLED


def test_a_statement_made_before_the_order_is_cancelled_is_carried_out_once(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    states(prepared(booked))
    with_orders.cancel_order(SHOP.orders[booked.order_reference])
    work()

    assert Operation.objects.filter(kind=OperationKind.CANCEL).count() == 1
    assert len(sandbox.calls("confirm_cancellation")) == 1


def test_cover_that_was_cancelled_elsewhere_is_said_to_be_cancelled(booked: QuotePackage) -> None:
    cancellation = prepared(booked)
    Quote.objects.update(status=Status.CANCELLED)

    with pytest.raises(AlreadyCancelled):
        states(cancellation)


# On record


def test_a_statement_is_never_changed_and_never_removed(booked: QuotePackage) -> None:
    stated = states(prepared(booked))
    stated.statement = "I keep my cover."

    for change in (
        stated.save,
        stated.delete,
        Withdrawal.objects.all().delete,
        lambda: Withdrawal.objects.update(statement="I keep my cover."),
    ):
        with pytest.raises(WithdrawalsAreFinal):
            change()


def test_statement_and_cancellation_are_written_together_or_not_at_all(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    cancellation = prepared(booked)
    monkeypatch.setattr(Withdrawal.objects, "get_or_create", _fails)

    with pytest.raises(RuntimeError):
        states(cancellation)

    cancellation.refresh_from_db()
    assert cancellation.state == State.PREVIEWED
    assert not Operation.objects.filter(kind=OperationKind.CANCEL).exists()


def _fails(**kwargs: Any) -> None:
    raise RuntimeError


# The e-mails


def test_the_receipt_says_what_was_stated_and_when_and_goes_out_once(
    booked: QuotePackage,
) -> None:
    stated = states(prepared(booked), name="Ana Costa", email="ana@example.net")

    withdrawing.send_due(stated.pk)
    withdrawing.send_due(stated.pk)

    (receipt,) = mail.outbox
    assert receipt.to == ["ana@example.net"]
    assert booked.order_reference in receipt.subject
    assert stated.statement in receipt.body
    assert "(GMT)" in receipt.body
    assert Withdrawal.objects.get().receipt_sent_at is not None


def test_what_comes_back_is_written_when_it_is_known(booked: QuotePackage) -> None:
    stated = states(prepared(booked))
    withdrawing.send_due(stated.pk)
    work()

    withdrawing.send_due(stated.pk)
    withdrawing.send_due(stated.pk)

    receipt, outcome = mail.outbox
    assert "received" in receipt.subject
    assert "Your refund is" in outcome.body
    assert withdrawing.sweep() == []


def test_the_receipt_is_in_the_language_of_the_statement(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    with translation.override("de"):
        stated = states(prepared(booked))
    languages: list[str | None] = []

    def render(*args: Any) -> str:
        languages.append(translation.get_language())
        return render_to_string(*args)

    monkeypatch.setattr(notices, "render_to_string", render)

    withdrawing.send_due(stated.pk)

    assert languages == ["de"]


def test_a_receipt_that_cannot_be_sent_is_sent_later_and_logs_the_fault_without_the_address(
    booked: QuotePackage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stated = states(prepared(booked), email="ana@example.net")

    def is_away(self: Adapter, order: Any, withdrawal: Withdrawal, message: Any) -> None:
        raise ConnectionError(f"no mail server for {message.to}")

    with monkeypatch.context() as patch:
        patch.setattr(Adapter, "send_withdrawal_email", is_away, raising=False)
        withdrawing.send_due(stated.pk)
    at_once = withdrawing.sweep()
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        later = withdrawing.sweep()
        withdrawing.send_due(stated.pk)

    assert (at_once, later) == ([], [stated.pk])
    assert len(mail.outbox) == 1
    assert "ConnectionError" in caplog.text
    assert "ana@example.net" not in caplog.text
