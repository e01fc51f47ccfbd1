"""Lists: found by what a caller can say, fast however many rows there are."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import DjangoAssertNumQueries

from django_xcover.admin.common.base import ShortPaginator
from django_xcover.models import (
    Attention,
    Choice,
    Instalment,
    Policy,
    QuotePackage,
    Renewal,
    Status,
)
from django_xcover.testing.factories import (
    CancellationFactory,
    FlagFactory,
    InstalmentFactory,
    ModificationFactory,
    OperationFactory,
    QuoteFactory,
    QuotePackageFactory,
    RenewalFactory,
)
from tests.admin.factories import in_minutes, make_findable

pytestmark = pytest.mark.every_engine

LISTS = (
    "quotepackage",
    "policy",
    "decision",
    "operation",
    "cancellation",
    "modification",
    "renewal",
    "instalment",
)


def live_through(package: QuotePackage) -> None:
    """Give `package` a row in each list."""
    OperationFactory.create(package=package, done=True)
    CancellationFactory.create(package=package)
    ModificationFactory.create(package=package)
    RenewalFactory.create(package=package)
    InstalmentFactory.create(quote=package.quotes.all()[0])


def package_pk(row: Any) -> int:
    """Return the primary key of the package that `row` belongs to."""
    return int(row.quote.package_id if isinstance(row, Instalment) else row.package_id)


def listed(client: Client, model: str, **parameters: str) -> list[Any]:
    """Return the rows of the list `model` with these parameters in its address."""
    answer = client.get(f"/admin/xcover/{model}/", parameters)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_a_search_for_nothing_known_finds_nothing(viewer: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    assert listed(viewer, "quotepackage", q="SH-9999") == []


@pytest.mark.parametrize("model", LISTS)
def test_a_search_survives_whatever_is_typed(viewer: Client, model: str) -> None:
    for text in ("%", "'; drop", "a@b@c", "🎫", " ", "x" * 500):
        assert viewer.get(f"/admin/xcover/{model}/", {"q": text}).status_code == 200


TYPED: dict[str, Callable[[QuotePackage], str]] = {
    "order reference": lambda package: package.order_reference,
    "beginning of an order reference": lambda package: package.order_reference[:6],
    "package id": lambda package: package.package_id,
    "package id in lower case": lambda package: package.package_id.lower(),
    "e-mail in another case": lambda package: package.policyholder_email.upper(),
    "policy id": lambda package: package.quotes.all()[0].quote_id,
    "order reference in lower case": lambda package: package.order_reference.lower(),
    "part of an order reference": lambda package: package.order_reference[3:],
    "package id without its end": lambda package: package.package_id.removesuffix("-INS"),
    "first characters of a policy id": lambda package: package.quotes.all()[0].quote_id[:9],
    "last name": lambda package: "Rossi",
    "first and last name, without accents and in another order": lambda package: "ROSSÍ ana",
    "part of an e-mail": lambda package: "ana@exam",
    "domain of an e-mail": lambda package: "example.com",
    "order reference between blanks": lambda package: f"  {package.order_reference} ",
}


@pytest.mark.parametrize("model", LISTS)
def test_each_list_is_searched_by_whatever_a_caller_can_say(viewer: Client, model: str) -> None:
    wanted, other = (
        QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001"),
        QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="TX-2002"),
    )
    other.policyholder_email = "ben@example.org"
    ben = {"first_name": "Ben", "last_name": "Ashworth", "email": other.policyholder_email}
    other.payload["policyholder"] |= ben
    other.save()
    for package in (wanted, other):
        make_findable(package)
    live_through(wanted)
    live_through(other)

    found = {what: listed(viewer, model, q=typed(wanted)) for what, typed in TYPED.items()}

    packages = {
        what: {row.pk if model == "quotepackage" else package_pk(row) for row in rows}
        for what, rows in found.items()
    }
    assert packages == {what: {wanted.pk} for what in TYPED}


def test_a_policy_id_finds_the_policy_and_not_its_neighbour(viewer: Client) -> None:
    policy = QuotePackageFactory.create(
        booked=True, two_quotes=True, order_reference="SH-1001"
    ).quotes.all()[0]

    assert [row.pk for row in listed(viewer, "policy", q=policy.quote_id)] == [policy.pk]


def test_a_list_takes_as_many_queries_for_fifty_rows_as_for_five(viewer: Client) -> None:
    few, many = {}, {}
    for number in range(3):
        live_through(
            QuotePackageFactory.create(booked=True, two_quotes=True, order_reference=f"SH-{number}")
        )
    for model in LISTS:
        with CaptureQueriesContext(connection) as queries:
            listed(viewer, model)
        few[model] = len(queries)
    for number in range(3, 50):
        live_through(
            QuotePackageFactory.create(booked=True, two_quotes=True, order_reference=f"SH-{number}")
        )

    for model in LISTS:
        with CaptureQueriesContext(connection) as queries:
            assert len(listed(viewer, model)) == 50
        many[model] = len(queries)

    assert many == few


def test_a_package_page_takes_as_many_queries_for_many_quotes_as_for_few(viewer: Client) -> None:
    small, large = (
        QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1"),
        QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-2"),
    )
    InstalmentFactory.create(quote=small.quotes.all()[0])
    CancellationFactory.create(package=small)
    ModificationFactory.create(package=small)
    for _ in range(20):
        InstalmentFactory.create(quote=QuoteFactory.create(package=large))
        CancellationFactory.create(package=large)
        ModificationFactory.create(package=large)
    viewer.get(f"/admin/xcover/quotepackage/{small.pk}/change/")  # content types are cached now

    with CaptureQueriesContext(connection) as few:
        viewer.get(f"/admin/xcover/quotepackage/{small.pk}/change/")
    with CaptureQueriesContext(connection) as many:
        viewer.get(f"/admin/xcover/quotepackage/{large.pk}/change/")

    assert len(many) == len(few)


def test_a_list_reads_session_user_count_and_rows_and_nothing_else(
    viewer: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    # session, user, the user's and the groups' permissions, count, rows; and that it was opened
    with django_assert_num_queries(7):
        listed(viewer, "quotepackage")


def test_counting_stops_at_the_limit_and_the_list_says_so(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ShortPaginator, "LIMIT", 3)
    for number in range(5):
        QuotePackageFactory.create(ordered=True, order_reference=f"SH-{number}")

    page = viewer.get("/admin/xcover/quotepackage/")

    assert page.context["cl"].result_count == 3
    assert "Only the first 3 are listed" in page.content.decode()


def test_a_list_never_counts_the_whole_table(viewer: Client) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1001")

    with CaptureQueriesContext(connection) as queries:
        listed(viewer, "quotepackage", status=Status.CONFIRMED)

    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"]]
    assert len(counts) == 1
    assert f"LIMIT {ShortPaginator.LIMIT}" in counts[0]
    assert "EXISTS" not in counts[0]


def test_packages_are_filtered_by_status(viewer: Client) -> None:
    booked, quoted = (
        QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1"),
        QuotePackageFactory.create(),
    )

    assert listed(viewer, "quotepackage", status=Status.CONFIRMED) == [booked]
    assert listed(viewer, "quotepackage", status=Status.RECEIVED) == [quoted]


def test_the_filter_for_a_look_finds_flagged_bookings_and_stopped_operations(
    viewer: Client,
) -> None:
    OperationFactory.create(package__order_reference="SH-1", done=True)
    flagged = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-2")
    FlagFactory.create(package=flagged, reason=Attention.PRICE_DIFFERS)
    stopped = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-3")
    OperationFactory.create(package=stopped, needs_person=True)

    assert listed(viewer, "quotepackage", attention="any") == [stopped, flagged]
    assert listed(viewer, "quotepackage", attention="stopped") == [stopped]
    assert listed(viewer, "quotepackage", attention=Attention.PRICE_DIFFERS) == [flagged]


def test_accounts_are_a_filter_only_when_there_are_two(viewer: Client, settings: Any) -> None:
    QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    nordic = QuotePackageFactory.create(account="nordic")
    alone = viewer.get("/admin/xcover/quotepackage/").content.decode()
    accounts = settings.XCOVER["ACCOUNTS"]
    both = {**accounts, "nordic": accounts["default"]}
    settings.XCOVER = {**settings.XCOVER, "ACCOUNTS": both}

    assert "account=default" not in alone
    assert listed(viewer, "quotepackage", account="nordic") == [nordic]


@pytest.mark.parametrize(
    "model", ["quotepackage", "operation", "decision", "cancellation", "modification"]
)
def test_rows_are_filtered_by_when_they_were_made(viewer: Client, model: str) -> None:
    with time_machine.travel(datetime(2026, 1, 31, 23, 30, tzinfo=UTC)):
        live_through(
            QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
        )
    with time_machine.travel(datetime(2026, 3, 31, 12, tzinfo=UTC)):
        live_through(
            QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-2")
        )
        january = listed(viewer, model, created="2026-01")
        february = listed(viewer, model, created="2026-02")
        week = listed(viewer, model, created="week")
        today = listed(viewer, model, created="today")

    assert len(january) == len(today) == len(week) > 0
    assert february == []
    assert not set(january) & set(today)


def test_operations_are_filtered_by_state_and_kind(viewer: Client) -> None:
    stopped = OperationFactory.create(package__order_reference="SH-1", needs_person=True)
    OperationFactory.create(package__order_reference="SH-2", done=True, kind="opt_out")

    assert listed(viewer, "operation", state__exact="needs_person") == [stopped]
    assert listed(viewer, "operation", kind__exact="book") == [stopped]


def test_operations_that_xcover_refused_or_a_person_gave_up_are_found(viewer: Client) -> None:
    over = {"state": "discarded"}
    refusal = {"type": "validation_failed", "message": "No."}
    refused = OperationFactory.create(
        package__order_reference="SH-1", done=True, **over, error=refusal
    )
    given_up = OperationFactory.create(
        package__order_reference="SH-2", done=True, **over, error=refusal, given_up="By telephone"
    )
    OperationFactory.create(
        package__order_reference="SH-3",
        done=True,
        **over,
        error={"message": "The order was cancelled."},
    )
    OperationFactory.create(package__order_reference="SH-4", needs_person=True)

    assert listed(viewer, "operation", ended="refused") == [refused]
    assert listed(viewer, "operation", ended="given_up") == [given_up]


def test_a_list_of_operations_names_the_package_only_where_there_is_no_order(
    viewer: Client,
) -> None:
    ordered = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    OperationFactory.create(package=ordered, needs_person=True)
    OperationFactory.create(
        package=QuotePackageFactory.create(package_id="KXR4W-9PJTC-INS"), needs_person=True
    )

    page = viewer.get("/admin/xcover/operation/").content.decode()

    assert "SH-1" in page
    assert ordered.package_id not in page
    assert "KXR4W-9PJTC-INS" in page


def test_cancellations_without_a_recorded_refund_are_found(viewer: Client) -> None:
    CancellationFactory.create(package__two_quotes=True, package__order_reference="SH-1")
    owed = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-2", confirmed=True
    )
    paid = CancellationFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-3",
        confirmed=True,
        refunded=Decimal("6.80"),
        refunded_at=in_minutes(0),
    )
    CancellationFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-4",
        confirmed=True,
        total_refund=Decimal(0),
    )
    unknown = CancellationFactory.create(
        package__two_quotes=True, package__order_reference="SH-5", confirmed=True, total_refund=None
    )

    assert listed(viewer, "cancellation", refund="missing") == [unknown, owed]
    assert listed(viewer, "cancellation", refund="recorded") == [paid]


def test_differences_that_wait_to_be_settled_are_found(viewer: Client) -> None:
    charge = ModificationFactory.create(package__order_reference="SH-1")
    refund = ModificationFactory.create(
        package__order_reference="SH-2", price_diff=Decimal("-0.50")
    )
    ModificationFactory.create(
        package__order_reference="SH-3", state="confirmed", settled_at=in_minutes(0)
    )
    ModificationFactory.create(package__order_reference="SH-4", price_diff=Decimal(0))

    assert listed(viewer, "modification", difference="charge") == [charge]
    assert listed(viewer, "modification", difference="refund") == [refund]


def test_overdue_instalments_are_found_the_oldest_first(viewer: Client) -> None:
    quote = QuotePackageFactory.create(
        booked=True, two_quotes=True, order_reference="SH-1"
    ).quotes.all()[0]
    InstalmentFactory.create(
        quote=quote, number=1, period_start_date=in_minutes(-90), status="PAID"
    )
    older = InstalmentFactory.create(
        quote=quote, number=2, period_start_date=in_minutes(-60), status="FAILED"
    )
    newer = InstalmentFactory.create(quote=quote, number=3, period_start_date=in_minutes(-30))
    InstalmentFactory.create(quote=quote, number=4, period_start_date=in_minutes(30))
    over = QuotePackageFactory.create(
        cancelled=True, two_quotes=True, order_reference="SH-2"
    ).quotes.all()[0]
    InstalmentFactory.create(quote=over, number=2, period_start_date=in_minutes(-60))

    assert listed(viewer, "instalment", payment="overdue") == [older, newer]
    assert listed(viewer, "instalment", payment="FAILED") == [older]


def test_renewals_are_found_by_when_they_are_due(viewer: Client) -> None:
    day = 60 * 24
    passed = RenewalFactory.create(
        package__two_quotes=True, package__order_reference="SH-1", due_on=in_minutes(-day)
    )
    soon = RenewalFactory.create(
        package__two_quotes=True, package__order_reference="SH-2", due_on=in_minutes(3 * day)
    )
    later = RenewalFactory.create(
        package__two_quotes=True, package__order_reference="SH-3", due_on=in_minutes(20 * day)
    )
    over = Renewal.State.OPTED_OUT
    RenewalFactory.create(
        package__two_quotes=True,
        package__order_reference="SH-4",
        due_on=in_minutes(3 * day),
        state=over,
    )

    assert listed(viewer, "renewal", due="passed") == [passed]
    assert listed(viewer, "renewal", due="7") == [soon]
    assert listed(viewer, "renewal", due="30") == [later, soon]


def test_an_id_of_a_cancellation_finds_it_only_in_its_own_case(viewer: Client) -> None:
    wanted = CancellationFactory.create(package__two_quotes=True, package__order_reference="SH-1")

    assert listed(viewer, "cancellation", q=wanted.cancellation_id) == [wanted]
    assert listed(viewer, "cancellation", q=wanted.cancellation_id.upper()) == []


def test_policies_are_the_booked_quotes_only(viewer: Client) -> None:
    booked = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    QuoteFactory.create(choice=Choice.DECLINED)

    rows = listed(viewer, "policy")

    assert {row.package_id for row in rows} == {booked.pk}
    assert all(isinstance(row, Policy) for row in rows)


def test_a_status_that_xcover_invented_is_shown_as_it_came(viewer: Client) -> None:
    QuotePackageFactory.create(status="<b>PAUSED</b>")

    page = viewer.get("/admin/xcover/quotepackage/").content.decode()

    assert "&lt;b&gt;PAUSED&lt;/b&gt;" in page


def test_a_package_with_a_stopped_operation_says_so_in_the_list(viewer: Client) -> None:
    OperationFactory.create(package__order_reference="SH-1", needs_person=True)

    assert "operation stopped" in viewer.get("/admin/xcover/quotepackage/").content.decode()


def test_a_package_page_leads_to_the_policies_that_were_booked(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    policy = package.quotes.all()[0]
    quote = QuoteFactory.create(package=package, status=Status.RECEIVED)

    page = viewer.get(f"/admin/xcover/quotepackage/{package.pk}/change/").content.decode()

    assert f"/admin/xcover/policy/{policy.pk}/change/" in page
    assert f"/admin/xcover/policy/{quote.pk}/change/" not in page


def test_the_price_that_a_change_moves_along_is_not_called_the_one_when_chosen(
    viewer: Client,
) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    quote = package.quotes.all()[0]

    for row in (f"quotepackage/{package.pk}", f"policy/{quote.pk}"):
        page = viewer.get(f"/admin/xcover/{row}/change/").content.decode().lower()
        assert "agreed price" in page
        assert "price when chosen" not in page


def test_a_package_page_has_no_empty_tables_of_what_never_happened(viewer: Client) -> None:
    package = QuotePackageFactory.create(booked=True, two_quotes=True, order_reference="SH-1")
    RenewalFactory.create(package=package)

    page = viewer.get(f"/admin/xcover/quotepackage/{package.pk}/change/").content.decode()

    assert "renewals-group" in page
    assert "cancellations-group" not in page
    assert "modifications-group" not in page
