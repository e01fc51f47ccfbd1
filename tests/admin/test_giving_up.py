"""Ending what waits for a person: what it means is said first, and who did it is on record."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from django_xcover.models import Attention, Operation, OperationState, Renewal
from django_xcover.testing.factories import (
    OperationFactory,
    RenewalFactory,
    answers,
)
from tests.admin.pressing import action_url, do, messages_of, page_of

STORY = "/admin/xcover/quotepackage/order/SH-1001/"


@pytest.fixture
def stopped() -> Operation:
    """Return a booking that needs a person."""
    return OperationFactory.create(package__order_reference="SH-1001", needs_person=True)


def test_nothing_is_given_up_without_saying_what_was_done(
    clerk: Client, stopped: Operation
) -> None:
    answer = do(clerk, stopped, "give-up", note=" ")

    stopped.refresh_from_db()
    assert "This field is required" in answer.content.decode()
    assert stopped.state == OperationState.NEEDS_PERSON


def test_what_is_tried_again_by_now_is_not_given_up(clerk: Client, stopped: Operation) -> None:
    Operation.objects.update(state=OperationState.PENDING)

    answer = do(clerk, stopped, "give-up", note="Refunded")

    stopped.refresh_from_db()
    assert messages_of(answer) == ["This is not waiting for a person, so it cannot be given up."]
    assert stopped.state == OperationState.PENDING
    assert not LogEntry.objects.exists()


def test_what_waits_for_nobody_offers_no_form(clerk: Client) -> None:
    done = OperationFactory.create(package__order_reference="SH-1001", done=True)

    assert action_url(done, "give-up") not in page_of(clerk, done)


def test_what_it_means_stands_at_the_form(clerk: Client, stopped: Operation) -> None:
    page = page_of(clerk, stopped)

    assert "The cover is not booked: refund what was paid for it" in page
    assert page.count(action_url(stopped, "give-up")) == 1


def test_a_note_is_kept_without_what_names_the_customer(clerk: Client, stopped: Operation) -> None:
    do(clerk, stopped, "give-up", note="Refunded, told ana@example.com")

    stopped.refresh_from_db()
    assert "Refunded, told" in stopped.given_up
    assert "ana@" not in stopped.given_up + LogEntry.objects.all()[0].change_message


def test_what_is_given_up_is_on_record_at_the_operation_and_at_its_package(
    clerk: Client, stopped: Operation
) -> None:
    answer = do(clerk, stopped, "give-up", note="Refunded", next=STORY)

    stopped.refresh_from_db()
    entries = LogEntry.objects.all()
    assert (answer.url, stopped.state) == (STORY, OperationState.DISCARDED)
    assert set(entries.values_list("content_type__model", "object_id")) == {
        ("operation", str(stopped.pk)),
        ("quotepackage", str(stopped.package_id)),
    }
    assert {entry.change_message for entry in entries} == set(messages_of(answer))
    assert messages_of(answer)[0].endswith("was given up: Refunded")


def test_the_pages_say_that_it_was_given_up_and_why(clerk: Client, stopped: Operation) -> None:
    story = clerk.get(STORY).content.decode()
    assert action_url(stopped, "give-up") in story
    assert action_url(stopped, "give-up") in page_of(clerk, stopped.package)

    do(clerk, stopped, "give-up", note="Refunded by hand")

    story = clerk.get(STORY).content.decode()
    assert "Booking given up" in story
    assert "Refunded by hand" in story
    assert "Given up: Refunded by hand" in page_of(clerk, stopped)


def test_paid_cover_that_is_given_up_stays_among_what_needs_a_look(
    clerk: Client, stopped: Operation
) -> None:
    do(clerk, stopped, "give-up", note="XCover will not book it")

    stopped.package.refresh_from_db()
    assert stopped.package.attention == Attention.BOOKING_FAILED
    assert "Tell the customer that there is no cover" in clerk.get(STORY).content.decode()


def test_a_renewal_of_which_nobody_knows_is_ended_where_the_doubt_is_told(clerk: Client) -> None:
    paid = RenewalFactory.create(
        package__two_quotes=True, package__order_reference="SH-1001", state=Renewal.State.PAID
    )
    operation = OperationFactory.create(
        package=paid.package, needs_person=True, error=answers.error(outcome_known=False)
    )
    Operation.objects.update(kind="renew", subject=str(paid.pk))

    page = page_of(clerk, paid)
    assert action_url(operation, "give-up") in page
    assert "It may have worked anyway" in page
    do(clerk, operation, "give-up", note="XCover has not renewed it; refunded")

    paid.refresh_from_db()
    assert paid.state == Renewal.State.EXPIRED
