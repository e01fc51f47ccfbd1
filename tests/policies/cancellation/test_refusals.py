"""What cannot be cancelled says why, and holds up nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from django_xcover import exceptions
from django_xcover.client import XCoverError
from django_xcover.mirror import packages
from django_xcover.models import Attention, Cancellation, OperationState, Quote, QuotePackage
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.policies.cancellation.support import (
    CANCELLED,
    ENDED,
    NOT_CANCELLABLE,
    NOT_IN_FORCE,
    State,
    cancel_elsewhere,
    preview,
    the_cancel,
    the_cancellation,
)
from tests.shop import Shop

pytestmark = pytest.mark.django_db

# Before anything is asked of XCover.


def test_what_is_not_booked_yet_is_not_cancelled(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.says(yes=True)

    with pytest.raises(exceptions.NotInForce, match=f"^{NOT_IN_FORCE}$"):
        preview(the_package())

    assert sandbox.calls("cancel_booking") == []


def test_a_booking_that_waits_for_its_payment_is_not_cancelled(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(pays_later=True), shopper.cart, paid=False)
    work()

    with pytest.raises(exceptions.NotInForce, match=f"^{NOT_IN_FORCE}$"):
        preview(the_package())


def test_cover_that_has_ended_is_not_cancelled(booked: QuotePackage) -> None:
    Quote.objects.update(policy_end_date=timezone.now())

    with pytest.raises(exceptions.CoverEnded, match=f"^{ENDED}$"):
        preview(booked)


def test_a_policy_of_another_booking_is_not_cancelled_with_this_one(booked: QuotePackage) -> None:
    other = QuotePackage.objects.get()
    other.pk, other.package_id = None, "OTHER-PACKA-INS"
    other.save(force_insert=True)

    with pytest.raises(exceptions.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(other, quotes=list(booked.quotes.all()))


def test_a_stored_no_is_read_again_before_it_is_believed(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    Quote.objects.update(can_be_cancelled=False)

    assert preview(booked).state == State.PREVIEWED
    assert len(sandbox.calls("get_booking")) == 1


def test_a_no_that_xcover_repeats_is_a_refusal(
    booked: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    Quote.objects.update(can_be_cancelled=False)
    monkeypatch.setattr(packages, "apply_answer", lambda package, answer: None)

    with pytest.raises(exceptions.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(booked)

    assert sandbox.calls("cancel_booking") == []


def test_what_may_be_cancelled_of_a_whole_booking_leaves_out_what_may_not(
    pair: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    Quote.objects.filter(line_reference="ticket").update(can_be_cancelled=False)
    monkeypatch.setattr(packages, "apply_answer", lambda package, answer: None)

    found = preview(pair)

    assert [quote.line_reference for quote in found.quotes.all()] == ["laptop"]


# By XCover.


def test_a_preview_of_what_was_cancelled_elsewhere_says_so_and_mends_the_mirror(
    booked: QuotePackage,
) -> None:
    cancel_elsewhere()

    with pytest.raises(exceptions.AlreadyCancelled, match=f"^{CANCELLED}$"):
        preview(booked)

    assert the_package().status == "CANCELLED"
    assert not Cancellation.objects.exists()


def test_a_preview_that_xcover_refuses_is_a_sentence(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    body = {"type": "validation_error", "errors": ["Quote can not be cancelled"]}
    sandbox.faults.add("cancel_booking", "status", status=422, body=body)

    with pytest.raises(exceptions.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(booked)


def test_a_preview_that_xcover_refuses_is_a_sentence_even_when_it_cannot_be_read_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("cancel_booking", "status", status=422, body={"errors": ["No"]})
    sandbox.faults.add("get_booking", "status", status=500, times=None)

    with pytest.raises(exceptions.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(booked)


def test_an_xcover_that_is_away_raises_its_own_error_and_leaves_no_row(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("cancel_booking", "hang", times=None)

    with pytest.raises(XCoverError):
        preview(booked)

    assert not Cancellation.objects.exists()


def test_an_answer_without_an_id_is_not_taken_for_a_preview(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    body = {"id": booked.package_id, "status": "CANCELLED", "currency": "GBP", "quotes": []}
    sandbox.faults.add("cancel_booking", "status", status=200, body=body)

    with pytest.raises(XCoverError, match="cancellation_id"):
        preview(booked)


@pytest.mark.parametrize(
    ("status", "errors"),
    [(422, ["Quote can not be cancelled"]), (422, {"preview": "Unexpected field"}), (404, None)],
)
def test_a_refused_confirmation_settles_the_row_and_tells_a_person(
    booked: QuotePackage, sandbox: Sandbox, status: int, errors: Any
) -> None:
    sandbox.faults.add("confirm_cancellation", "status", status=status, body={"errors": errors})
    cancellation.request(preview(booked))

    work()

    assert the_cancellation().state == State.REFUSED
    assert cancellation.refusal_of(the_cancellation()) == NOT_CANCELLABLE
    assert the_cancel().state == OperationState.DISCARDED
    assert the_cancel().error["status"] == status
    assert the_package().attention == Attention.CANCELLATION_REFUSED
    assert the_package().status == "CONFIRMED"


def test_credentials_that_are_not_accepted_are_no_refusal_of_the_cancellation(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("confirm_cancellation", "status", status=403)
    cancellation.request(preview(booked))

    work()

    assert the_cancellation().state == State.REQUESTED
    assert the_cancel().state == OperationState.NEEDS_PERSON


def test_a_refused_cancellation_holds_up_nothing(booked: QuotePackage, sandbox: Sandbox) -> None:
    sandbox.faults.add("confirm_cancellation", "status", status=422)
    cancellation.request(preview(booked))
    work()
    cancellation.request(preview(booked))

    work()

    assert the_package().status == "CANCELLED"
    states = Cancellation.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.REFUSED, State.CONFIRMED]
