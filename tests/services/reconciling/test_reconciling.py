"""Reconciliation: what differs is found once, with the money; what is safe is mended."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils import timezone

from django_xcover import signals
from django_xcover.client import ServerFault, UnexpectedAnswer, XCoverClient
from django_xcover.models import (
    Attention,
    Discrepancy,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
    Reconciliation,
)
from django_xcover.sandbox import Sandbox
from django_xcover.services import reconciling, refreshing, running
from django_xcover.services.reconciling import Report, UnderWay, walking
from tests.conftest import Shopper
from tests.services.reconciling.conftest import Buy, cancel_at_xcover, forget
from tests.shop import Adapter, Order

pytestmark = pytest.mark.django_db
Kind, State = Discrepancy.Kind, Discrepancy.State
LOST = "KXR4W-9PJTC-INS"
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


def go(**options: Any) -> Report:
    """Walk the default account, mending unless told otherwise."""
    return reconciling.reconcile("default", **{"fix": True, **options})


def found() -> list[tuple[str, str]]:
    """Return what is open: kind and package id."""
    rows = Discrepancy.objects.open().order_by("kind", "package_id")
    return list(rows.values_list("kind", "package_id"))


def one() -> Discrepancy:
    """Return the only discrepancy there is."""
    return Discrepancy.objects.get()


def lose_at_xcover(package: QuotePackage) -> None:
    """Let the booking be one that XCover never made: only the mirror says so."""
    QuotePackage.objects.filter(pk=package.pk).update(status="RECEIVED", package_id=LOST)
    Quote.objects.filter(package=package).update(status="RECEIVED")


# XCover at fault


@pytest.mark.parametrize("fault", ["reset", "garbage", "throttle"])
def test_xcover_at_fault_finds_nothing_and_says_so(buy: Buy, sandbox: Sandbox, fault: str) -> None:
    package = buy()
    lose_at_xcover(package)
    sandbox.faults.add("*", fault, times=None)

    report = go()

    assert report.error is not None
    assert not report.is_finished
    assert found() == []


def test_a_page_that_is_no_list_keeps_the_place(
    buy: Buy, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 2)
    for number in range(1, 5):
        buy(number)
    sandbox.faults.add("list_bookings", "status", status=200, body={"results": "none"}, times=None)

    assert isinstance(go().error, UnexpectedAnswer)
    assert Reconciliation.objects.get().offset == 0


def test_it_goes_on_where_xcover_went_down(
    buy: Buy, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 2)
    for number in range(1, 6):
        buy(number)
    page = walking.Walk._page

    def down_after_the_first(self: walking.Walk, answers: Any) -> None:
        page(self, answers)
        sandbox.faults.add("list_bookings", "status", status=503, times=5)

    monkeypatch.setattr(walking.Walk, "_page", down_after_the_first)
    stopped = go()
    monkeypatch.setattr(walking.Walk, "_page", page)
    offset = Reconciliation.objects.get().offset
    sandbox.faults.clear()

    resumed = go()

    assert isinstance(stopped.error, ServerFault)
    assert (stopped.listed, offset, resumed.listed) == (2, 2, 3)
    assert resumed.is_finished


def test_a_walker_that_dies_is_followed_by_one_that_goes_on(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 1)
    for number in range(1, 4):
        buy(number)
    died = list[int]()

    def dies_at_the_second(steps: int) -> None:
        died.append(steps)
        if len(died) == 2:
            raise SystemExit

    monkeypatch.setattr(reconciling.cursor.Cursor, "let_go", lambda self: None)
    with pytest.raises(SystemExit):
        go(progress=dies_at_the_second)

    with pytest.raises(UnderWay):
        go()
    Reconciliation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    report = go()

    assert report.is_finished
    assert report.listed == 1


def test_a_walker_whose_lease_ran_out_writes_nothing_more(buy: Buy) -> None:
    buy()

    def another_takes_over(steps: int) -> None:
        Reconciliation.objects.update(attempts=F("attempts") + 1, offset=77)

    with pytest.raises(UnderWay):
        go(progress=another_takes_over)

    assert Reconciliation.objects.get().offset == 77


def test_a_booking_that_cannot_be_shown_holds_up_no_other(
    buy: Buy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = buy(1), buy(2)
    cancel_at_xcover(first)
    cancel_at_xcover(second)
    read = refreshing.read

    def first_is_garbage(client: Any, package_id: str) -> Any:
        if package_id == first.package_id:
            raise UnexpectedAnswer("the answer is not JSON")
        return read(client, package_id)

    monkeypatch.setattr(refreshing, "read", first_is_garbage)

    report = go()

    assert report.is_finished
    assert (report.unreadable, report.mended) == (1, 1)
    first.refresh_from_db()
    assert first.status == "CONFIRMED"
    assert first.package_id in caplog.text


def test_xcover_going_down_between_two_bookings_ends_the_walk(buy: Buy, sandbox: Sandbox) -> None:
    for number in range(1, 6):
        cancel_at_xcover(buy(number))
    sandbox.faults.add("get_quote", "status", status=503, times=None)

    report = go()

    assert isinstance(report.error, ServerFault)
    assert Reconciliation.objects.get().offset == 0


def test_one_booking_in_the_list_that_makes_no_sense_is_passed_over(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = buy()
    cancel_at_xcover(package)
    listed = XCoverClient.list_bookings

    def with_nonsense(self: Any, **options: Any) -> Any:
        yield type(next(listed(self)))({"id": 7, "quotes": None})
        yield from listed(self, **options)

    monkeypatch.setattr(XCoverClient, "list_bookings", with_nonsense)

    report = go()

    assert (report.unreadable, report.mended) == (1, 1)


def test_a_list_that_names_another_host_leads_nowhere(
    buy: Buy, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 1)
    buy(1)
    buy(2)

    report = go()

    # The sandbox names another host in `next`, as the recordings have it.
    assert report.listed == 2
    assert len(sandbox.calls("list_bookings")) == 2


def test_an_account_that_does_not_exist_is_a_mistake(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured):
        reconciling.reconcile("nowhere")


# What differs


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
        running.run(pk)

    signals.operation_ready.connect(run)
    with django_capture_on_commit_callbacks(execute=True):
        report = go()
    signals.operation_ready.disconnect(run)

    assert report.handed_over == 1
    assert ready == [Operation.objects.get().pk]
    package.refresh_from_db()
    assert package.status == "CONFIRMED"


# Again


def test_what_vanished_is_closed(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    buy()
    go()
    Operation.objects.update(state=OperationState.PENDING, next_attempt_at=timezone.now())
    running.run(Operation.objects.get().pk)

    report = go()

    assert one().state == State.GONE
    assert (report.opened, report.closed) == (0, 1)


def test_an_unknown_booking_that_is_known_now_is_closed(buy: Buy) -> None:
    package = buy()
    real = package.package_id
    QuotePackage.objects.update(package_id="OTHER-AAAAA-INS")
    go()
    QuotePackage.objects.update(package_id=real)

    go()

    assert found() == []
    assert Discrepancy.objects.filter(state=State.GONE).count() == 2


def test_what_a_person_looked_into_stays_so_until_it_changes(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    buy()
    go()
    assert reconciling.resolve(one(), by="7", note="Refunded")

    go()
    assert (one().state, one().note, one().resolved_by) == (State.RESOLVED, "Refunded", "7")

    Quote.objects.update(chosen_price=Decimal("1.00"))
    go()
    assert (one().state, one().note) == (State.OPEN, "")


def test_a_person_who_saw_other_amounts_resolves_nothing(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    buy()
    go()
    seen = one()
    Discrepancy.objects.update(theirs=Decimal(9))

    assert not reconciling.resolve(seen, by="7", note="Refunded")
    assert one().state == State.OPEN


def test_a_dry_run_reports_the_same_and_writes_nothing(buy: Buy, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "wrong_price")
    buy(1)
    cancel_at_xcover(buy(2))
    lose_at_xcover(buy(3))
    before = list(QuotePackage.objects.order_by("pk").values())

    rehearsed = go(dry_run=True)

    assert list(QuotePackage.objects.order_by("pk").values()) == before
    assert not Discrepancy.objects.exists()
    assert not Reconciliation.objects.exists()
    assert rehearsed.lines == go(fix=False).lines
    assert len(rehearsed.lines) == 4


def test_money_is_summed_for_each_currency(buy: Buy, sandbox: Sandbox) -> None:
    for number in (1, 2):
        forget(buy(number))

    [line] = go().lines

    assert (line.kind, line.count) == (Kind.UNKNOWN, 2)
    assert (line.at_stake.amount, line.at_stake.currency) == (PRICE * 2, "GBP")


def test_since_passes_over_what_has_not_changed(buy: Buy, sandbox: Sandbox) -> None:
    forget(buy(1))
    lose_at_xcover(buy(2))

    report = go(since=timezone.now() + timedelta(hours=1))

    assert (report.is_finished, found()) == (True, [])


def test_it_ends_when_its_time_is_up_and_goes_on_the_next_time(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walking, "PAGE", 1)
    for number in range(1, 4):
        buy(number)

    first, second = go(seconds=0), go()

    assert (first.is_finished, first.listed) == (False, 1)
    assert (second.is_finished, second.listed) == (True, 2)


def test_a_page_costs_the_same_queries_however_many_bookings_it_has(
    buy: Buy, django_assert_max_num_queries: Any, shopper: Shopper
) -> None:
    buy(1)
    with django_assert_max_num_queries(100) as few:
        go()
    for number in range(2, 9):
        buy(number)
    forget(QuotePackage.objects.filter(order_reference="ORD-8").get())
    forget(QuotePackage.objects.filter(order_reference="ORD-7").get())

    with django_assert_max_num_queries(len(few) + 6):
        go()
