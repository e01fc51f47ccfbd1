"""An order is cancelled after its cover was booked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import cover, signals
from django_xcover.models import Attention, Cancellation, Quote
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package, work
from tests.orders.cancelling.support import State, cancel, cancels, statuses
from tests.shop import Order

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def needing_attention() -> Iterator[list[str]]:
    """Return the reasons that `attention_needed` has announced."""
    heard: list[str] = []

    def hear(sender: type, reason: str, **kwargs: Any) -> None:
        heard.append(reason)

    signals.attention_needed.connect(hear)
    yield heard
    signals.attention_needed.disconnect(hear)


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
