"""A person ends what has stopped, and what waited behind it goes on."""

from __future__ import annotations

import pytest

from django_xcover import exceptions
from django_xcover.cover import order_cover
from django_xcover.models import (
    Attention,
    Choice,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.outbox import operations
from django_xcover.overview.policies import policy_rows, summarise
from django_xcover.policies import emails
from django_xcover.sandbox import Sandbox
from django_xcover.support import give_up
from django_xcover.support.timeline import order_story
from django_xcover.testing.factories import OperationFactory
from tests import completion
from tests.conftest import Shopper, resolve_flags, the_operation, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
NOTE = "Refunded, XCover's support knows."


@pytest.fixture
def stopped(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> Operation:
    """Return a paid booking that XCover has refused."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "status", status=422, body={"errors": ["No."]})
    work()
    return the_operation()


@pytest.mark.parametrize("state", ["pending", "running", "done", "discarded"])
def test_what_waits_for_nobody_is_not_given_up(stopped: Operation, state: str) -> None:
    Operation.objects.update(state=state)

    with pytest.raises(exceptions.NotWaiting) as refused:
        give_up.give_up(stopped, note=NOTE)

    assert str(refused.value) == "This is not waiting for a person, so it cannot be given up."
    assert (the_operation().state, the_operation().given_up) == (state, "")
    assert the_package().attention == ""


def test_of_a_retry_and_a_giving_up_at_the_same_time_the_first_counts(
    stopped: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    discard = give_up._discard

    def retried_in_between(operation: Operation, note: str) -> bool:
        operations.retry(the_operation())
        return discard(operation, note)

    monkeypatch.setattr(give_up, "_discard", retried_in_between)

    with pytest.raises(exceptions.NotWaiting):
        give_up.give_up(stopped, note=NOTE)

    assert the_operation().given_up == ""
    assert the_package().attention == ""


def test_what_is_given_up_keeps_why_and_nothing_personal(stopped: Operation) -> None:
    give_up.give_up(stopped, note=NOTE)

    kept = the_operation()
    assert (kept.state, kept.given_up) == (OperationState.DISCARDED, NOTE)
    assert kept.error["status"] == 422
    assert kept.request == {}
    assert kept.finished_at is not None


def test_what_is_given_up_is_never_tried_again_however_often_the_order_is_told(
    stopped: Operation, shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    give_up.give_up(stopped, note=NOTE)
    calls = len(sandbox.calls())

    completion.complete(shop.order(), shopper.cart, paid=True)
    work()

    assert not operations.retry(the_operation())
    assert len(sandbox.calls()) == calls


def test_what_waited_behind_it_goes_on_at_once(
    stopped: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    later = OperationFactory.create(package=stopped.package, kind=OperationKind.MODIFY, subject="1")
    assert operations.claim(later.pk) is None

    announced: list[int] = []
    monkeypatch.setattr(operations, "announce", announced.append)
    give_up.give_up(stopped, note=NOTE)

    assert announced == [later.pk]
    assert operations.claim(later.pk) == later


def test_paid_cover_that_is_given_up_is_flagged(stopped: Operation) -> None:
    give_up.give_up(stopped, note=NOTE)

    assert the_package().attention == Attention.BOOKING_FAILED


def test_the_order_tells_of_the_loss_until_somebody_has_seen_to_it_and_after(
    stopped: Operation, shop: Shop
) -> None:
    give_up.give_up(stopped, note=NOTE)

    before = order_cover(shop.order()).state
    resolve_flags(the_package(), note="Refunded.")

    assert (before, order_cover(shop.order()).state) == ("needs_person", "failed")
    assert summarise(policy_rows().get()).state == "failed"


def test_cover_that_xcover_has_booked_all_the_same_is_not_called_uncovered(
    stopped: Operation,
) -> None:
    QuotePackage.objects.update(status=Status.CONFIRMED)
    Quote.objects.update(status=Status.CONFIRMED)

    give_up.give_up(stopped, note=NOTE)

    assert the_package().attention == ""


def test_cover_that_nobody_wants_any_more_is_not_flagged(stopped: Operation) -> None:
    Quote.objects.update(choice=Choice.WITHDRAWN)

    give_up.give_up(stopped, note=NOTE)

    assert the_package().attention == ""


def test_cover_that_nobody_has_paid_is_not_flagged(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(pays_later=True), shopper.cart, paid=False)
    sandbox.faults.add("create_booking", "status", status=422, body={"errors": ["No."]})
    work()

    give_up.give_up(the_operation(), note=NOTE)

    assert the_package().attention == ""


def test_a_renewal_that_is_settled_meanwhile_stays_as_it_is(stopped: Operation) -> None:
    renewal = the_package().renewals.create(
        due_on=stopped.created_at, currency="GBP", state="confirmed"
    )
    Operation.objects.update(kind=OperationKind.RENEW, subject=str(renewal.pk))

    give_up.give_up(the_operation(), note=NOTE)

    renewal.refresh_from_db()
    assert renewal.state == "confirmed"


def test_an_email_that_xcover_does_not_send_is_flagged_for_nobody(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    email = emails.send_again(the_package(), emails.CREATED)
    Operation.objects.filter(pk=email.pk).update(state=OperationState.NEEDS_PERSON)

    give_up.give_up(email, note=NOTE)

    assert the_package().attention == ""


def test_a_doubt_is_told_before_anybody_gives_it_up(stopped: Operation) -> None:
    assert "It may have worked" not in give_up.meaning_of(stopped)

    stopped.outcome_known = False

    told = give_up.meaning_of(stopped)
    assert told.startswith("It may have worked anyway: first check with XCover")
    assert stopped.package.package_id in told


@pytest.mark.parametrize("kind", OperationKind)
def test_of_every_kind_it_is_told_what_is_left_to_do(
    stopped: Operation, kind: OperationKind
) -> None:
    stopped.kind = kind

    assert give_up.meaning_of(stopped).endswith(
        "It is never retried, and the operations waiting behind it continue."
    )


def test_the_story_says_who_ended_it_and_not_that_xcover_did(stopped: Operation) -> None:
    give_up.give_up(stopped, note=NOTE)

    story = order_story(stopped.package.order_reference)
    assert story is not None
    [ended] = [event for event in story.events if event.title == "Booking given up"]
    assert ("Reason for giving up", NOTE) in ended.facts
    assert not [event for event in story.events if "refused" in event.title]
    [step] = story.next_steps
    assert "Tell the customer that there is no cover" in step.to_do
