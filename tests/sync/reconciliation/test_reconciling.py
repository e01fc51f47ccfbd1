"""Reconciliation: what differs is found with the money, and what is safe is mended."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import signals, worker
from django_xcover.client import XCoverClient
from django_xcover.models import (
    Attention,
    Discrepancy,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
)
from django_xcover.sandbox import Sandbox
from django_xcover.support import give_up
from tests.shop import Adapter, Order
from tests.sync.reconciliation.conftest import (
    LOST,
    Buy,
    cancel_at_xcover,
    forget,
    found,
    go,
    lose_at_xcover,
    one,
)

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
Kind = Discrepancy.Kind
PRICE = Decimal("7.89")


class Cashier(Adapter):
    """A shop that knows which orders are paid."""

    unpaid: frozenset[str] = frozenset()

    def is_paid(self, order: Order) -> bool | None:
        return order.reference not in self.unpaid


class Unpaid(Cashier):
    unpaid = frozenset({"ORD-1"})


class Broken(Adapter):
    def is_paid(self, order: Order) -> bool | None:
        raise KeyError(order.reference)


def test_paid_cover_that_xcover_does_not_know_is_found(buy: Buy) -> None:
    package = buy()
    lose_at_xcover(package)

    go()

    rows = Discrepancy.objects.filter(kind=Kind.NOT_COVERED)
    assert [row.package_id for row in rows] == [LOST]
    assert (rows[0].at_stake, rows[0].ours, rows[0].theirs) == (PRICE, PRICE, None)
    assert (rows[0].order_reference, rows[0].currency, rows[0].there) == ("ORD-1", "GBP", "")


def test_a_booking_that_only_the_mirror_knows_is_found(buy: Buy) -> None:
    package = buy()
    QuotePackage.objects.filter(pk=package.pk).update(package_id=LOST)

    go()

    assert (Kind.NOT_COVERED, LOST) in found()


def test_paid_cover_that_waits_for_a_person_is_found(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    package = buy()
    assert Operation.objects.get().state == OperationState.NEEDS_PERSON

    go()

    assert found() == [(Kind.NOT_COVERED, package.package_id)]
    assert (one().here, one().there, one().ours) == ("RECEIVED", "RECEIVED", PRICE)


def test_paid_cover_that_a_person_has_given_up_is_found(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", times=None, status=422)
    package = buy()

    give_up.give_up(package.operations.get(), note="XCover will not book it.")
    go()

    assert found() == [(Kind.NOT_COVERED, package.package_id)]


def test_cover_that_a_worker_is_about_to_book_is_not_missing(buy: Buy) -> None:
    buy(booked=False)

    go()

    assert found() == []


def test_cover_for_an_order_that_is_not_paid_yet_is_not_missing(buy: Buy) -> None:
    package = buy(pays_later=True)
    assert package.status == "PENDING_PAYMENT"

    go()

    assert found() == []


def test_an_order_paid_without_the_payment_being_reported_is_found(buy: Buy, settings: Any) -> None:
    package = buy(pays_later=True)
    # It was paid after it was booked: what is paid before is booked as paid.
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": f"{__name__}.Cashier"}

    go()

    assert found() == [(Kind.NOT_COVERED, package.package_id)]
    assert one().there == "PENDING_PAYMENT"


def test_cover_in_force_for_an_unpaid_order_is_found(buy: Buy, settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": f"{__name__}.Unpaid"}
    package = buy(1)
    buy(2)

    go()

    assert found() == [(Kind.NOT_PAID, package.package_id)]
    assert (one().theirs, one().at_stake, one().ours) == (PRICE, PRICE, None)


def test_a_shop_that_cannot_tell_is_taken_at_its_signals(buy: Buy) -> None:
    buy()

    go()

    assert found() == []


def test_an_error_in_the_shop_is_logged_and_holds_up_nothing(
    buy: Buy, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    settings.XCOVER = {**settings.XCOVER, "ADAPTER": f"{__name__}.Broken"}
    buy()

    assert go().is_finished
    assert "KeyError" in caplog.text
    assert "ORD-1" not in caplog.text


def test_a_price_that_differs_is_found_once_with_the_difference(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    package = buy()
    package.refresh_from_db()
    booked = Quote.objects.get().price

    reports = [go(), go(), go()]

    assert found() == [(Kind.PRICE_DIFFERS, package.package_id)]
    assert one().quote_id == Quote.objects.get().quote_id
    assert (one().ours, one().theirs) == (PRICE, booked)
    assert one().at_stake == abs(booked - PRICE) > 0
    assert [report.opened for report in reports] == [1, 0, 0]


def test_a_booking_unknown_to_us_is_found_with_its_order(buy: Buy) -> None:
    package_id = forget(buy())

    go()

    assert found() == [(Kind.UNKNOWN, package_id)]
    assert (one().theirs, one().order_reference, one().there) == (PRICE, "ORD-1", "CONFIRMED")


def test_a_quote_that_was_taken_out_here_and_is_in_force_at_xcover_is_found(buy: Buy) -> None:
    package = buy()
    package.quotes.update(status="DELETED", choice="")

    for _ in range(2):
        go()

    assert found() == [(Kind.NOT_PAID, package.package_id)]
    assert (one().quote_id, one().theirs) == (package.quotes.get().quote_id, PRICE)


def test_a_booking_of_another_account_is_not_unknown(buy: Buy) -> None:
    package = buy()
    QuotePackage.objects.filter(pk=package.pk).update(account="eu")

    go()

    assert found() == []


def test_a_cancellation_elsewhere_is_mended_and_its_refund_left_to_a_person(buy: Buy) -> None:
    package = buy()
    cancel_at_xcover(package)

    report = go()

    package.refresh_from_db()
    assert package.status == "CANCELLED"
    assert package.attention == Attention.REFUND_UNCLEAR
    assert (report.mended, found()) == (1, [])


def test_without_fix_a_status_that_differs_is_listed_and_nothing_changed(buy: Buy) -> None:
    package = buy()
    cancel_at_xcover(package)

    go(fix=False)

    package.refresh_from_db()
    assert package.status == "CONFIRMED"
    assert found() == [(Kind.STATUS_DIFFERS, package.package_id)]
    assert (one().here, one().there, one().at_stake) == ("CONFIRMED", "CANCELLED", PRICE)


def test_a_status_that_cannot_follow_is_listed_and_flags_the_package_no_second_time(
    buy: Buy,
) -> None:
    package = buy()
    QuotePackage.objects.update(status="CANCELLED")
    heard: list[object] = []
    signals.attention_needed.connect(heard.append, weak=False)

    go()
    go()

    signals.attention_needed.disconnect(heard.append)
    assert found() == [(Kind.STATUS_DIFFERS, package.package_id)]
    assert heard == []


def test_a_booking_listed_without_quotes_is_read_before_anything_is_said(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy()
    listed = XCoverClient.list_bookings

    def without_quotes(self: Any, **options: Any) -> Any:
        for answer in listed(self, **options):
            answer["quotes"] = []
            yield answer

    monkeypatch.setattr(XCoverClient, "list_bookings", without_quotes)

    assert go().is_finished
    assert found() == []


def test_a_mirror_that_missed_the_booking_learns_of_it(buy: Buy) -> None:
    package = buy()
    QuotePackage.objects.update(status="RECEIVED", booked_at=None)
    Quote.objects.update(status="RECEIVED")

    report = go()

    package.refresh_from_db()
    assert (package.status, report.mended, found()) == ("CONFIRMED", 1, [])


def test_an_operation_that_no_worker_took_is_handed_over_again(
    buy: Buy, django_capture_on_commit_callbacks: Any
) -> None:
    package = buy(booked=False)
    Operation.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    ready: list[int] = []

    def run(sender: Any, pk: int, **kwargs: Any) -> None:
        ready.append(pk)
        worker.run(pk)

    signals.operation_ready.connect(run)
    with django_capture_on_commit_callbacks(execute=True):
        report = go()
    signals.operation_ready.disconnect(run)

    assert report.handed_over == 1
    assert ready == [Operation.objects.get().pk]
    package.refresh_from_db()
    assert package.status == "CONFIRMED"
