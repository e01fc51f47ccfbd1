"""Cancelling without a preview."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover import exceptions
from django_xcover.exceptions import CardNumberSent
from django_xcover.models import Attention, Cancellation, QuotePackage
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package, work
from tests.policies.cancellation.support import (
    BEING_CANCELLED,
    SHOPPER,
    STAFF,
    cancel,
    cancel_elsewhere,
    preview,
    the_cancellation,
)

pytestmark = pytest.mark.django_db


def test_a_direct_cancellation_learns_the_refund_from_its_answer(
    booked: QuotePackage, announced: list[Cancellation], django_capture_on_commit_callbacks: Any
) -> None:
    cancellation.cancel_now(booked, origin=STAFF, reason="Goodwill")
    assert the_cancellation().refund is None

    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert [found.refund for found in announced] == [booked.total]
    assert the_cancellation().cancellation_id == ""


@pytest.mark.parametrize("direct", [True, False])
def test_the_reason_reaches_xcover(booked: QuotePackage, sandbox: Sandbox, direct: bool) -> None:
    cancel(booked, direct=direct, reason="Goodwill " + "x" * 300)

    work()

    at_xcover = sandbox.package(booked.package_id)["quotes"][0]
    assert at_xcover["reason_for_cancellation"].startswith("Goodwill x")
    assert len(the_cancellation().reason) == 200


def test_a_card_number_in_the_reason_is_refused_and_not_stored(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    for ask in (cancellation.preview, cancellation.cancel_now):
        with pytest.raises(CardNumberSent) as refused:
            ask(booked, origin=SHOPPER, reason="Refund 4111 1111 1111 1111")
        assert "4111" not in str(refused.value)

    assert not Cancellation.objects.exists()
    assert sandbox.calls("cancel_booking") == []


def test_a_direct_cancellation_of_what_is_being_cancelled_is_refused(booked: QuotePackage) -> None:
    cancellation.cancel_now(booked, origin=STAFF)

    with pytest.raises(exceptions.BeingCancelled, match=f"^{BEING_CANCELLED}$"):
        cancellation.cancel_now(booked, origin=STAFF)


def test_what_was_cancelled_elsewhere_is_cancelled_with_an_unknown_refund(
    booked: QuotePackage, announced: list[Cancellation], django_capture_on_commit_callbacks: Any
) -> None:
    cancellation.request(preview(booked))
    cancel_elsewhere()

    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert the_package().status == "CANCELLED"
    assert the_package().attention == Attention.REFUND_UNCLEAR
    assert [found.refund for found in announced] == [None]
    assert cancellation.lines_of(the_cancellation())[0].refund is None
