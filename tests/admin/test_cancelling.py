"""Cancelling cover from the admin: a preview, a confirmation, a refund on record."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.utils import timezone

from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Status,
)
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import CancellationFactory, FlagFactory, QuotePackageFactory
from tests.admin.conftest import VIEWS
from tests.admin.factories import make_staff
from tests.admin.pressing import action_url, do, messages_of, page_of, page_url
from tests.conftest import work

State = Cancellation.State


@pytest.fixture
def policies(booked: QuotePackage) -> list[Quote]:
    """Return the booking's policies."""
    return list(booked.quotes.order_by("position"))


@pytest.fixture
def previewed(clerk: Client, booked: QuotePackage, policies: list[Quote]) -> Cancellation:
    """Return the preview of cancelling the first policy."""
    preview(clerk, booked, policies[0])
    return Cancellation.objects.get()


def preview(
    client: Client, package: QuotePackage, *quotes: Quote, reason: str = "Bought twice"
) -> Any:
    """Ask for a preview of cancelling `quotes`."""
    chosen = [quote.pk for quote in quotes]
    return do(client, package, "cancel", policies=chosen, reason=reason)


@pytest.mark.parametrize("fault", ["hang", "reset", "garbage", "status"])
def test_a_preview_that_xcover_cannot_give_is_a_sentence_and_leaves_nothing(
    clerk: Client, booked: QuotePackage, policies: list[Quote], sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("cancel_booking", fault, times=None, seconds=0.05, status=503)

    answer = preview(clerk, booked, policies[0])

    assert answer.url == page_url(booked)
    assert messages_of(answer)[0].startswith("Nothing was done. XCover")
    assert not Cancellation.objects.exists()
    assert not LogEntry.objects.exists()


def test_policies_must_be_chosen_and_a_reason_given(clerk: Client, booked: QuotePackage) -> None:
    answer = preview(clerk, booked, reason="")

    assert answer.content.decode().count("This field is required") == 2
    assert "Nothing was done yet" in answer.content.decode()
    assert not Cancellation.objects.exists()


def test_policies_of_another_package_are_refused(
    clerk: Client, booked: QuotePackage, sandbox: Sandbox
) -> None:
    stranger = QuotePackageFactory.create(
        booked=True, two_quotes=True, order_reference="SH-2"
    ).quotes.all()[0]

    answer = preview(clerk, booked, stranger)

    assert "is not one of the available choices" in answer.content.decode()
    assert sandbox.calls("cancel_booking") == []


def test_a_preview_cancels_nothing(
    clerk: Client, booked: QuotePackage, policies: list[Quote]
) -> None:
    answer = preview(clerk, booked, policies[0])

    cancellation = Cancellation.objects.get()
    booked.refresh_from_db()
    assert answer.url == page_url(cancellation)
    assert (cancellation.state, booked.status) == (State.PREVIEWED, Status.CONFIRMED)
    assert set(booked.quotes.values_list("status", flat=True)) == {"CONFIRMED"}
    assert list(cancellation.quotes.all()) == [policies[0]]
    assert not Operation.objects.filter(kind="cancel").exists()


def test_a_preview_shows_refund_cooling_off_and_deadline(
    clerk: Client, previewed: Cancellation, policies: list[Quote]
) -> None:
    page = page_of(clerk, previewed)

    assert f"£{policies[0].price.normalize()}" in page
    assert "You can confirm this preview until" in page
    assert "Free to withdraw" in page
    assert page.count("xcover-final") == 1


def test_an_expired_preview_is_refused_with_its_sentence(
    clerk: Client, previewed: Cancellation
) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        page = page_of(clerk, previewed)
        assert "xcover-final" not in page
        assert "no longer valid" in page
        answer = do(clerk, previewed, "confirm")

    previewed.refresh_from_db()
    assert "no longer valid" in messages_of(answer)[0]
    assert previewed.state == State.EXPIRED
    assert not Operation.objects.filter(kind="cancel").exists()


def test_a_replayed_confirmation_cancels_once(clerk: Client, previewed: Cancellation) -> None:
    do(clerk, previewed, "confirm")
    answer = do(clerk, previewed, "confirm")

    assert messages_of(answer)[-1].startswith("Confirmed ")
    assert messages_of(answer)[-1].endswith(". A worker is sending it to XCover.")
    assert Operation.objects.filter(kind="cancel").count() == 1
    assert LogEntry.objects.filter(change_message__startswith="Confirmed").count() == 1


def test_a_second_preview_of_what_is_cancelled_is_refused(
    clerk: Client, previewed: Cancellation, booked: QuotePackage, policies: list[Quote]
) -> None:
    other = CancellationFactory.create(package=booked)
    do(clerk, previewed, "confirm")
    work()

    again = do(clerk, other, "confirm")
    anew = preview(clerk, booked, policies[0])

    assert messages_of(again)[-1] == "This cover has already been cancelled."
    assert "is not one of the available choices" in anew.content.decode()


def test_a_refusal_of_xcovers_is_told_where_it_was_asked_for_and_in_the_story(
    clerk: Client, previewed: Cancellation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("confirm_cancellation", "status", times=None, status=422)
    do(clerk, previewed, "confirm")
    work()

    page = page_of(clerk, previewed)
    story = clerk.get("/admin/xcover/quotepackage/order/ORD-1/").content.decode()

    previewed.refresh_from_db()
    assert previewed.state == State.REFUSED
    assert "http-equiv" not in page
    assert "refused by XCover" in page.partition('class="xcover-progress"')[2]
    assert "Cancellation refused by XCover" in story
    assert "XCover did not cancel the cover as requested" in story


def test_a_cancellation_on_its_way_shows_how_far_it_is_and_looks_again(
    clerk: Client, previewed: Cancellation
) -> None:
    answer = do(clerk, previewed, "confirm")
    page = page_of(clerk, previewed)

    assert answer.url == page_url(previewed)
    assert '<meta http-equiv="refresh" content="3">' in page
    assert "Cancellation" in page.partition('class="xcover-progress"')[2]

    work()

    page = page_of(clerk, previewed)
    assert 'http-equiv="refresh"' not in page
    assert "Record the refund" in page


def test_cancelling_one_policy_leaves_the_other_in_force(
    clerk: Client, previewed: Cancellation, policies: list[Quote]
) -> None:
    do(clerk, previewed, "confirm")
    work()

    previewed.refresh_from_db()
    statuses = Quote.objects.order_by("position").values_list("status", flat=True)
    assert previewed.state == State.CONFIRMED
    assert list(statuses) == ["CANCELLED", "CONFIRMED"]
    assert previewed.total_refund == policies[0].price


@pytest.mark.parametrize("amount", ["-1", "a lot", "", "1e400", "NaN", "1.23456"])
def test_a_refund_must_be_an_amount(clerk: Client, amount: str) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )

    answer = do(clerk, cancellation, "refund", amount=amount)

    cancellation.refresh_from_db()
    assert answer.status_code == 200
    assert "errorlist" in answer.content.decode()
    assert cancellation.refunded_at is None


@pytest.mark.parametrize("state", [State.EXPIRED, State.REFUSED])
def test_what_was_never_cancelled_has_no_refund(clerk: Client, state: str) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", state=state
    )

    answer = do(clerk, cancellation, "refund", amount="6.80")

    cancellation.refresh_from_db()
    assert "cannot be recorded" in messages_of(answer)[0]
    assert cancellation.refunded_at is None


def test_another_refund_does_not_overwrite_the_first(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )
    do(clerk, cancellation, "refund", amount="6.80", reference="R-1")

    answer = do(clerk, cancellation, "refund", amount="1.00", reference="R-2", differs="on")

    cancellation.refresh_from_db()
    assert "another refund is recorded already" in messages_of(answer)[-1]
    assert (cancellation.refunded, cancellation.refund_reference) == (Decimal("6.80"), "R-1")


def test_a_refund_that_is_not_the_one_xcover_named_is_recorded_on_a_second_word_only(
    clerk: Client,
) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )

    answer = do(clerk, cancellation, "refund", amount="5.00", reference="R-1")

    cancellation.refresh_from_db()
    assert cancellation.refunded_at is None
    page = answer.content.decode().replace("&#x27;", "'")
    problem = "XCover's refund is £6.80. Correct the amount, or confirm that you refunded a "
    assert f"{problem}different one." in page
    assert "The amount differs from XCover's £6.80" in page


def test_a_refund_that_differs_is_shown_beside_the_one_xcover_named(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )

    answer = do(clerk, cancellation, "refund", amount="5.00", reference="R-1", differs="on")

    recorded = "A refund of £5.00 was recorded for {}, and it differs from XCover's £6.80."
    assert messages_of(answer) == [recorded.format(cancellation)]
    assert "£5.00, differs from XCover's £6.80" in page_of(clerk, cancellation)
    package = clerk.get(f"/admin/xcover/quotepackage/{cancellation.package_id}/change/")
    assert "£5.00, differs from XCover" in package.content.decode()
    story = clerk.get("/admin/xcover/quotepackage/order/SH-1/").content.decode()
    assert "Refund recorded, but it differs" in story
    assert "Refund named by XCover" in story


def test_a_refund_that_was_made_is_asked_for_until_it_is_on_record(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )
    story = "/admin/xcover/quotepackage/order/SH-1/"
    assert "£6.80 is due to the customer" in clerk.get(story).content.decode()

    answer = do(clerk, cancellation, "refund", amount="6.80", reference="R-1", next=story)

    page = clerk.get(story).content.decode()
    assert answer.url == story
    assert "is due to the customer" not in page
    assert "Refund recorded" in page
    entry = LogEntry.objects.get()
    assert "£6.80" in entry.change_message
    assert cancellation.cancellation_id in entry.change_message


def test_a_refund_that_xcover_has_not_named_is_asked_for_until_it_is_on_record(
    clerk: Client,
) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-1",
        confirmed=True,
        total_refund=None,
        lines=[],
    )
    story = "/admin/xcover/quotepackage/order/SH-1/"
    page = clerk.get(story).content.decode()
    assert "XCover has not named the amount due to the customer" in page
    assert cancellation.package.package_id in page

    assert action_url(cancellation, "refund") in page_of(clerk, cancellation)
    do(clerk, cancellation, "refund", amount="6.80", reference="R-1")

    cancellation.refresh_from_db()
    assert cancellation.refunded == Decimal("6.80")
    assert "differs" not in page_of(clerk, cancellation)
    assert "has not named the amount due" not in clerk.get(story).content.decode()


def test_a_cancellation_that_gives_nothing_back_asks_for_no_refund(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-1",
        confirmed=True,
        total_refund=Decimal(0),
    )

    assert action_url(cancellation, "refund") not in page_of(clerk, cancellation)


@pytest.mark.parametrize("is_ours", [True, False])
def test_an_unclear_refund_can_be_dealt_with_as_its_step_says(clerk: Client, is_ours: bool) -> None:
    package = QuotePackageFactory.create(cancelled=True, two_quotes=True, order_reference="SH-1")
    FlagFactory.create(package=package, reason=Attention.REFUND_UNCLEAR)
    if is_ours:
        CancellationFactory.create(package=package, confirmed=True, total_refund=None, lines=[])

    page = page_of(clerk, package)

    assert "If the cover was cancelled outside this shop" in page
    assert action_url(package.flags.get(), "resolve") in page
    assert ("/refund/" in page) is is_ours


def test_a_refund_that_differs_from_xcovers_is_marked(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-1",
        confirmed=True,
        refunded=Decimal("5.00"),
        refunded_at=timezone.now(),
    )

    marked = "£5.00, differs from XCover's £6.80"
    assert f'xcover-badge-bad">{marked}</span>' in page_of(clerk, cancellation)


def test_no_log_entry_names_the_customer_or_says_why(
    clerk: Client, booked: QuotePackage, policies: list[Quote]
) -> None:
    preview(clerk, booked, policies[0], reason="Ana Rossi says so")
    do(clerk, Cancellation.objects.get(), "confirm")
    work()
    do(clerk, Cancellation.objects.get(), "refund", amount="1", reference="Rossi-77", differs="on")

    messages = " ".join(LogEntry.objects.values_list("change_message", flat=True))
    assert LogEntry.objects.count() == 3
    for name in ("Ana", "Rossi", "@"):
        assert name not in messages


def test_yen_are_shown_and_recorded_without_decimals(clerk: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    cancellation = CancellationFactory.create(
        package=package, confirmed=True, currency="JPY", total_refund=Decimal(680)
    )

    page = page_of(clerk, cancellation)
    do(clerk, cancellation, "refund", amount="680")

    cancellation.refresh_from_db()
    assert 'value="680"' in page
    assert cancellation.refunded == Decimal(680)


def test_an_operation_that_needs_a_person_says_so_on_the_page_of_its_cancellation(
    clerk: Client, previewed: Cancellation
) -> None:
    do(clerk, previewed, "confirm")
    stopped = Operation.objects.filter(kind="cancel")
    stopped.update(state=OperationState.NEEDS_PERSON, error={"type": "server_fault", "status": 503})

    page = page_of(clerk, previewed)

    assert "Cancellation stopped" in page
    assert 'http-equiv="refresh"' not in page


def test_a_refund_above_xcovers_figure_needs_a_second_permission(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )

    answer = do(clerk, cancellation, "refund", amount="9999", reference="R-1", differs="on")

    cancellation.refresh_from_db()
    assert (
        "needs the permission to record refunds above what XCover names" in messages_of(answer)[0]
    )
    assert cancellation.refunded is None

    lead = Client()
    lead.force_login(make_staff(*VIEWS, "record_refund", "exceed_refund", name="lead"))
    do(lead, cancellation, "refund", amount="9999", reference="R-1", differs="on")

    cancellation.refresh_from_db()
    assert cancellation.refunded == 9999


def test_a_recorded_refund_is_corrected_with_a_reason_and_both_stay_in_the_story(
    clerk: Client,
) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )
    do(clerk, cancellation, "refund", amount="0.68", reference="R-1", differs="on")

    do(
        clerk,
        cancellation,
        "correct-refund",
        amount="6.80",
        reference="R-1",
        reason="Comma in the wrong place, told ana@example.com",
    )

    cancellation.refresh_from_db()
    assert cancellation.refunded == Decimal("6.80")
    story = clerk.get("/admin/xcover/quotepackage/order/SH-1/").content.decode()
    for page in (page_of(clerk, cancellation), story):
        assert "£0.68" in page
        assert "Comma in the wrong place" in page
        assert "ana@example.com" not in page.replace("Ana Rossi ana@example.com", "")
        assert "clerk" in page


def test_a_correction_without_a_reason_is_not_made(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )
    do(clerk, cancellation, "refund", amount="0.68", reference="R-1", differs="on")

    answer = do(clerk, cancellation, "correct-refund", amount="6.80", reference="R-1", reason=" ")

    cancellation.refresh_from_db()
    assert answer.status_code == 200
    assert cancellation.refunded == Decimal("0.68")


def test_nothing_recorded_leaves_nothing_to_correct(clerk: Client) -> None:
    cancellation = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", confirmed=True
    )

    assert action_url(cancellation, "correct-refund") not in page_of(clerk, cancellation)
