"""What stands first on an order's page: what staff are asked, above the history."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from django_xcover.models import (
    Attempt,
    Attention,
    Choice,
    OperationState,
)
from django_xcover.support.timeline import Story, order_story
from django_xcover.testing.factories import (
    CancellationFactory,
    FlagFactory,
    InstalmentFactory,
    OperationFactory,
    QuoteFactory,
    QuotePackageFactory,
    WebhookDeliveryFactory,
    answers,
)
from tests.admin.factories import in_minutes, make_staff
from tests.admin.pressing import do, text_at

PAGE = "/admin/xcover/quotepackage/order/SH-1001/"


def story() -> Story:
    found = order_story("SH-1001")
    assert found is not None
    return found


def covered() -> set[str]:
    return {answer.covered for answer in story().answers}


def test_paid_cover_that_is_not_booked_yet_is_never_called_settled(viewer: Client) -> None:
    OperationFactory.create(package__order_reference="SH-1001")

    page = text_at(viewer, PAGE)

    assert covered() == {"Not yet: it is paid and is being booked at XCover."}
    assert "Nothing to do" not in page
    assert "In progress." in page


@pytest.mark.parametrize("state", [OperationState.PENDING, OperationState.RUNNING])
def test_nothing_is_settled_while_an_operation_is_unfinished(
    viewer: Client, state: OperationState
) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package, done=True)
    OperationFactory.create(package=package, kind="cancel", state=state, lease_until=in_minutes(2))

    assert "Nothing to do" not in text_at(viewer, PAGE)


def test_cover_whose_booking_stopped_is_no_cover() -> None:
    OperationFactory.create(package__order_reference="SH-1001", needs_person=True)

    assert covered() == {"No: the booking has stopped and needs a person."}


def test_staff_are_not_given_a_yes_or_no_for_an_unknown_status() -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    package.quotes.update(status="ON_HOLD")

    assert covered() == {"Unknown: XCover reports the status “ON_HOLD”. Ask XCover."}


def test_cover_of_an_order_that_is_not_paid_waits_for_the_payment() -> None:
    QuotePackageFactory.create(ordered=True, two_quotes=True, order_reference="SH-1001")

    assert covered() == {"Not yet: it is booked when the shop reports the payment."}


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (Choice.DECLINED, "No: the customer declined."),
        (Choice.UNANSWERED, "No: the customer did not choose."),
        (Choice.WITHDRAWN, "No: it was cancelled, or withdrawn from, before it was booked."),
        (
            Choice.LAPSED,
            "No: the offer changed after the customer accepted it, and they did not choose again.",
        ),
    ],
)
def test_an_order_without_cover_says_why(choice: Choice, sentence: str) -> None:
    QuoteFactory.create(package__order_reference="SH-1001", choice=choice)

    assert covered() == {sentence}


def test_everything_staff_are_asked_stands_above_the_history(client: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package, done=True)
    now = timezone.now()
    package.quotes.update(
        policy_start_date=now - timedelta(days=1),
        policy_end_date=now + timedelta(days=30),
        payload={"pds_url": "https://www.xcover.com/en/pds/1"},
    )
    for number in (1, 2):
        InstalmentFactory.create(quote=package.quotes.all()[0], number=number)
    user = make_staff(
        "view_quotepackage", "view_policy", "open_links", "view_personal_data", name="lead"
    )
    client.force_login(user)

    page = text_at(client, PAGE)

    above = page[: page.index("What happened")]
    for fact in (
        "Yes, until ",
        "Harbour Lights Festival",
        "Missed Event Cover",
        "£3.40",
        "In 2 parts, 0 paid (£0.00); £0.58 to come",
        "The next payment, £0.29, is due on",
        "At once",
        "Ana Rossi ana@example.com",
        "Certificate of insurance",
        "Policy wording",
        "Nothing until it ends.",
    ):
        assert fact in above, fact


def test_a_cancelled_policy_says_whether_the_refund_is_made() -> None:
    package = QuotePackageFactory.create(cancelled=True, two_quotes=True, order_reference="SH-1001")
    cancellation = CancellationFactory.create(package=package, confirmed=True)

    assert {one.next for one in story().answers} == {"The refund has to be made and recorded."}

    cancellation.refunded, cancellation.refunded_at = Decimal("6.80"), timezone.now()
    cancellation.save()
    assert {one.next for one in story().answers} == {"Nothing: a refund of £6.80 is recorded."}


def test_links_that_open_documents_are_for_those_who_may_open_them(viewer: Client) -> None:
    OperationFactory.create(package__order_reference="SH-1001", done=True)

    assert "Certificate of insurance" not in text_at(viewer, PAGE)


def test_the_next_attempt_is_told_last_also_when_it_was_due_before_the_order() -> None:
    OperationFactory.create(package__order_reference="SH-1001", next_attempt_at=in_minutes(-14))

    assert story().events[-1].title == "Booking: next attempt"


def test_failed_attempts_stay_in_the_story_after_the_booking_is_made(viewer: Client) -> None:
    operation = OperationFactory.create(package__order_reference="SH-1001", done=True)
    for number in (1, 2):
        Attempt.objects.create(
            operation=operation, number=number, outcome="failed", error="server_fault (503)"
        )

    titles = [event.title for event in story().events]

    assert "Booking: attempt 1 failed" in titles
    assert "Booking: attempt 2 failed" in titles
    assert "server_fault (503)" in text_at(viewer, PAGE)


def test_the_story_says_who_retried(agent: Client) -> None:
    operation = OperationFactory.create(package__order_reference="SH-1001", needs_person=True)

    agent.post(f"/admin/xcover/operation/{operation.pk}/retry/")

    [retried] = [event for event in story().events if event.by]
    assert "is being retried now" in retried.title
    assert "<dt>By</dt><dd>agent</dd>" in text_at(agent, PAGE)


def test_the_story_says_what_staff_did_about_a_flag(clerk: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    flag = FlagFactory.create(package=package, reason=Attention.PRICE_DIFFERS)

    do(clerk, flag, "resolve", note="Refunded the difference")

    page = text_at(clerk, PAGE)
    assert "Flagged: booked at another price than shown" in page
    assert "Refunded the difference" in page
    assert "<dt>By</dt><dd>clerk</dd>" in page


def test_the_story_tells_of_the_webhooks_about_its_packages_only(root: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    for about in (package, None):
        WebhookDeliveryFactory.create(package=about, processed=True, event="BOOKING_CONFIRMED")

    page = text_at(root, PAGE)

    assert page.count("XCover sent a webhook: BOOKING_CONFIRMED") == 1


def test_webhooks_are_left_out_for_those_who_may_not_see_them(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    WebhookDeliveryFactory.create(package=package)

    assert "XCover sent a webhook" not in text_at(viewer, PAGE)


def test_an_attempt_of_before_there_was_a_history_is_told_by_its_operation() -> None:
    OperationFactory.create(
        package__order_reference="SH-1001",
        attempts=2,
        failures=2,
        next_attempt_at=in_minutes(4),
        error=answers.error(type="server_fault", status=503),
    )

    assert "Booking failed" in [event.title for event in story().events]
