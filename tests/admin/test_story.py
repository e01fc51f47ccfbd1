"""The story of an order: what happened, and what to do now."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape

from django_xcover.models import Attention, Choice, OperationKind, OperationState, Status
from django_xcover.support.timeline import order_story
from django_xcover.testing.factories import (
    DecisionFactory,
    FlagFactory,
    OperationFactory,
    QuoteFactory,
    QuotePackageFactory,
    answers,
)
from tests.admin.factories import in_minutes, make_staff


def story_page(client: Client, reference: str) -> Any:
    return client.get(f"/admin/xcover/quotepackage/order/{reference}/")


def text_of(client: Client, reference: str) -> str:
    """Return the story page as text, with its quotation marks unescaped."""
    page: str = story_page(client, reference).content.decode()
    return page.replace("&#x27;", "'")


def titles(reference: str) -> list[str]:
    story = order_story(reference)
    assert story is not None
    return [event.title for event in story.events]


def test_an_unknown_order_is_a_404_with_a_way_on(viewer: Client) -> None:
    answer = story_page(viewer, "SH-9999")

    assert answer.status_code == 404
    assert "SH-9999" in answer.content.decode()
    assert "/admin/xcover/quotepackage/" in answer.content.decode()


def test_an_unknown_order_number_is_shown_escaped(viewer: Client) -> None:
    answer = story_page(viewer, "<script>alert(1)</script>")

    assert "<script>alert(1)" not in answer.content.decode()
    assert escape("<script>alert(1)") in answer.content.decode()


def test_the_story_is_closed_to_staff_who_may_not_see_packages(client: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    client.force_login(make_staff("view_operation"))

    assert story_page(client, "SH-1001").status_code == 403


def test_the_story_is_closed_to_shoppers(client: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    assert story_page(client, "SH-1001").status_code == 302


def test_packages_without_an_order_are_nobodys_story() -> None:
    QuotePackageFactory.create(order_reference="")

    assert order_story("") is None


def test_the_story_leaves_out_what_its_reader_may_not_see(client: Client) -> None:
    OperationFactory.create(package__order_reference="SH-1001", needs_person=True)
    client.force_login(make_staff("view_quotepackage"))

    page = text_of(client, "SH-1001")

    assert "Order SH-1001 placed" in page
    assert "The shopper accepted" not in page
    assert "Booking stopped" not in page


def test_the_story_never_says_nothing_to_do_because_its_reader_may_not_see_it(
    client: Client,
) -> None:
    OperationFactory.create(package__order_reference="SH-1001", needs_person=True)
    client.force_login(make_staff("view_quotepackage"))

    page = text_of(client, "SH-1001")

    assert "Nothing to do" not in page
    assert "Ask someone who does" in page


ERRORS = [
    (answers.error(), "Correct the data that the error names"),
    (answers.error(type="cannot_perform", status=None), "Correct the data that the error names"),
    (answers.error(type="authentication_failed", status=403), "check the API key"),
    (answers.error(type="not_found", status=404), "Check that the account"),
    (
        answers.error(
            field_errors={"non_field_errors": ["Status change not allowed for QuotePackage"]}
        ),
        "compare its status",
    ),
    (answers.error(type="conflict", status=409), "compare its status"),
    (answers.error(type="server_fault", status=503), "If that fails as well, contact XCover"),
    (answers.error(type="deadline_exceeded", outcome_known=False), "nothing is done twice"),
    (answers.error(type="outcome_unknown", outcome_known=False), "nothing is done twice"),
    (answers.error(type="request_refused", status=410), "Contact XCover with the package id"),
    (answers.error(type="KeyError", status=None), "the worker's log shows where"),
]


@pytest.mark.parametrize(("error", "advice"), ERRORS)
def test_each_kind_of_error_has_its_next_step(
    viewer: Client, error: dict[str, Any], advice: str
) -> None:
    OperationFactory.create(
        package__order_reference="SH-1001", needs_person=True, error=answers.error(**error)
    )

    assert advice in text_of(viewer, "SH-1001")


def test_an_error_of_an_unknown_shape_still_opens(viewer: Client) -> None:
    package = QuotePackageFactory.create(ordered=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package, state=OperationState.NEEDS_PERSON, error={})

    assert story_page(viewer, "SH-1001").status_code == 200


def test_a_validation_error_names_the_field(viewer: Client) -> None:
    OperationFactory.create(package__order_reference="SH-1001", needs_person=True)

    assert "policyholder.phone: The phone number should start" in text_of(viewer, "SH-1001")


def test_an_outage_asks_nothing_of_anybody(viewer: Client) -> None:
    OperationFactory.create(
        package__order_reference="SH-1001",
        attempts=2,
        failures=2,
        next_attempt_at=in_minutes(4),
        error=answers.error(type="server_fault", status=503),
    )

    page = text_of(viewer, "SH-1001")

    assert "Nothing: it is retried automatically" in page
    assert "xcover-step-urgent" not in page


@pytest.mark.parametrize("state", ["pending", "running"])
def test_an_operation_long_overdue_points_at_the_worker(viewer: Client, state: str) -> None:
    long_ago = in_minutes(-60)
    OperationFactory.create(
        package__order_reference="SH-1001",
        state=state,
        next_attempt_at=long_ago,
        lease_until=long_ago,
    )

    assert "Celery worker and beat seem to be down" in text_of(viewer, "SH-1001")


def test_a_price_that_differs_is_shown_beside_the_price_chosen(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    quote = package.quotes.all()[0]
    quote.price = Decimal("3.90")
    quote.save()
    FlagFactory.create(package=package, reason=Attention.PRICE_DIFFERS)

    page = text_of(viewer, "SH-1001")

    assert "shown £3.40, booked £3.90" in page
    assert "refund the difference" in page


def test_refreshing_is_offered_where_it_can_help_and_only_there(agent: Client) -> None:
    QuotePackageFactory.create(
        ordered=True, flagged=True, flag__reason=Attention.PRICE_DIFFERS, order_reference="SH-1"
    )
    package = QuotePackageFactory.create(
        ordered=True, flagged=True, flag__reason=Attention.STATUS_UNEXPECTED, order_reference="SH-2"
    )

    assert "xcover-act" not in text_of(agent, "SH-1")
    assert f"/quotepackage/{package.pk}/refresh/" in text_of(agent, "SH-2")


def test_a_missing_policy_is_named_with_the_package_id(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    quote = package.quotes.all()[0]
    quote.status = Status.RECEIVED
    quote.save()
    FlagFactory.create(package=package, reason=Attention.POLICY_MISSING)

    page = text_of(viewer, "SH-1001")

    assert f"{quote.policy_name} ({quote.quote_id})" in page
    assert f"Contact XCover with the package id {package.package_id}" in page


def test_an_attention_we_do_not_know_still_has_a_next_step(viewer: Client) -> None:
    QuotePackageFactory.create(
        ordered=True, flagged=True, flag__reason="something_new", order_reference="SH-1001"
    )

    assert "contact XCover with the package id" in text_of(viewer, "SH-1001")


def test_cover_that_waits_for_the_payment_says_so(viewer: Client) -> None:
    QuotePackageFactory.create(ordered=True, two_quotes=True, order_reference="SH-1001")

    assert "booked when the shop reports the payment" in text_of(viewer, "SH-1001")


def test_an_order_without_trouble_asks_for_nothing(viewer: Client) -> None:
    OperationFactory.create(package__order_reference="SH-1001", done=True)

    assert "Nothing to do" in text_of(viewer, "SH-1001")


def test_the_story_is_told_in_the_order_in_which_it_happened() -> None:
    OperationFactory.create(package__order_reference="SH-1001", package__two_quotes=True, done=True)

    assert titles("SH-1001") == [
        "Quoted by XCover",
        "The shopper accepted Missed Event Cover",
        "Order SH-1001 placed",
        "The shopper accepted Missed Event Cover",
        "Booking queued",
        "Booked at XCover",
    ]


def test_the_booking_is_not_told_with_a_total_that_came_later(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")
    OperationFactory.create(package=package, done=True)
    package.total_price = Decimal("114.74")
    package.save()

    story = order_story("SH-1001")

    assert story is not None
    booked = story.events[-1]
    assert (booked.title, booked.facts) == ("Booked at XCover", ())
    assert text_of(viewer, "SH-1001").count("£114.74") == 1


@pytest.mark.parametrize(
    ("choice", "title"),
    [
        (Choice.DECLINED, "The shopper declined Missed Event Cover"),
        (Choice.UNANSWERED, "The shopper gave no answer for Missed Event Cover"),
        (Choice.LAPSED, "The acceptance of Missed Event Cover lapsed because the offer changed"),
    ],
)
def test_every_answer_is_told(choice: Choice, title: str) -> None:
    DecisionFactory.create(
        quote=QuoteFactory.create(package__order_reference="SH-1001"), choice=choice
    )

    assert title in titles("SH-1001")


@pytest.mark.parametrize(
    ("state", "title"),
    [
        (OperationState.RUNNING, "Opt-out in progress"),
        (OperationState.DONE, "Opt-out done"),
        (OperationState.DISCARDED, "Opt-out no longer needed"),
        (OperationState.NEEDS_PERSON, "Opt-out stopped: needs a person"),
        (OperationState.PENDING, "Opt-out: next attempt"),
    ],
)
def test_every_state_of_an_operation_is_told(state: OperationState, title: str) -> None:
    OperationFactory.create(
        package__order_reference="SH-1001", kind=OperationKind.OPT_OUT, state=state
    )

    assert title in titles("SH-1001")


def test_a_decision_is_told_with_price_wording_and_language(viewer: Client) -> None:
    decision = DecisionFactory.create(quote=QuoteFactory.create(package__order_reference="SH-1001"))

    page = text_of(viewer, "SH-1001")

    for fact in ("£3.40", decision.wording_hash[:12], decision.locale):
        assert f"<dd>{fact}</dd>" in page


def test_an_order_with_two_packages_tells_of_both(viewer: Client) -> None:
    first, second = (
        QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001"),
        QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001"),
    )

    page = text_of(viewer, "SH-1001")

    assert first.package_id in page
    assert second.package_id in page


def test_the_story_links_to_the_shops_order(viewer: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    assert 'href="/shop/orders/SH-1001/"' in text_of(viewer, "SH-1001")


def test_an_order_the_shop_has_deleted_has_no_link(viewer: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-2002")

    assert "See this order in the shop" not in text_of(viewer, "SH-2002")


def test_an_order_reference_may_hold_slashes_and_umlauts(viewer: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="2026/ö 1")

    listed = viewer.get("/admin/xcover/quotepackage/").content.decode()

    assert "/order/2026/%C3%B6%201/" in listed
    assert story_page(viewer, "2026/%C3%B6%201").status_code == 200


def test_an_order_reference_may_hold_a_line_break(viewer: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH\n1")

    listed = viewer.get("/admin/xcover/quotepackage/").content.decode()

    assert "/order/SH%0A1/" in listed
    assert story_page(viewer, "SH%0A1").status_code == 200


def test_an_order_reference_with_a_nul_has_no_page(viewer: Client) -> None:
    assert viewer.get("/admin/xcover/quotepackage/order/SH%001/").status_code in {302, 404}


def test_a_story_takes_as_many_queries_for_much_as_for_little() -> None:
    OperationFactory.create(package__order_reference="SH-1", done=True)
    for _ in range(4):
        OperationFactory.create(package__order_reference="SH-2", needs_person=True)

    with CaptureQueriesContext(connection) as few:
        order_story("SH-1")
    with CaptureQueriesContext(connection) as many:
        order_story("SH-2")

    assert len(few) == len(many) == 16


def test_an_agent_retries_from_the_story(agent: Client) -> None:
    operation = OperationFactory.create(package__order_reference="SH-1001", needs_person=True)

    page = text_of(agent, "SH-1001")

    assert f'action="/admin/xcover/operation/{operation.pk}/retry/"' in page
