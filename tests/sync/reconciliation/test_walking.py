"""Walking through XCover's bookings: its faults, an end in time, and what a page costs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.models import F
from django.utils import timezone

from django_xcover.client import ServerFault, UnexpectedAnswer, XCoverClient
from django_xcover.exceptions import ReconciliationUnderWay
from django_xcover.mirror import refresh
from django_xcover.models import (
    QuotePackage,
    Reconciliation,
)
from django_xcover.sandbox import Sandbox
from django_xcover.sync import reconciliation
from django_xcover.sync.reconciliation import run
from tests.conftest import Shopper
from tests.sync.reconciliation.conftest import (
    Buy,
    cancel_at_xcover,
    forget,
    found,
    go,
    lose_at_xcover,
)

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


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
    monkeypatch.setattr(run, "PAGE", 2)
    for number in range(1, 5):
        buy(number)
    sandbox.faults.add("list_bookings", "status", status=200, body={"results": "none"}, times=None)

    assert isinstance(go().error, UnexpectedAnswer)
    assert Reconciliation.objects.get().offset == 0


def test_it_goes_on_where_xcover_went_down(
    buy: Buy, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE", 2)
    for number in range(1, 6):
        buy(number)
    page = run.Walk._page

    def down_after_the_first(self: run.Walk, answers: Any) -> None:
        page(self, answers)
        sandbox.faults.add("list_bookings", "status", status=503, times=5)

    monkeypatch.setattr(run.Walk, "_page", down_after_the_first)
    stopped = go()
    monkeypatch.setattr(run.Walk, "_page", page)
    offset = Reconciliation.objects.get().offset
    sandbox.faults.clear()

    resumed = go()

    assert isinstance(stopped.error, ServerFault)
    assert (stopped.listed, offset, resumed.listed) == (2, 2, 3)
    assert resumed.is_finished


def test_a_walker_that_dies_is_followed_by_one_that_goes_on(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE", 1)
    for number in range(1, 4):
        buy(number)
    died = list[int]()

    def dies_at_the_second(steps: int) -> None:
        died.append(steps)
        if len(died) == 2:
            raise SystemExit

    monkeypatch.setattr(run.Cursor, "let_go", lambda *args: None)
    with pytest.raises(SystemExit):
        go(progress=dies_at_the_second)

    with pytest.raises(ReconciliationUnderWay):
        go()
    Reconciliation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    report = go()

    assert report.is_finished
    assert report.listed == 1


def test_a_walker_whose_lease_ran_out_writes_nothing_more(buy: Buy) -> None:
    buy()

    def another_takes_over(steps: int) -> None:
        Reconciliation.objects.update(attempts=F("attempts") + 1, offset=77)

    with pytest.raises(ReconciliationUnderWay):
        go(progress=another_takes_over)

    assert Reconciliation.objects.get().offset == 77


def test_a_booking_that_cannot_be_shown_holds_up_no_other(
    buy: Buy, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = buy(1), buy(2)
    cancel_at_xcover(first)
    cancel_at_xcover(second)
    read = refresh.read

    def first_is_garbage(client: Any, package_id: str) -> Any:
        if package_id == first.package_id:
            raise UnexpectedAnswer("the answer is not JSON")
        return read(client, package_id)

    monkeypatch.setattr(refresh, "read", first_is_garbage)

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
    monkeypatch.setattr(run, "PAGE", 1)
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
        reconciliation.reconcile("nowhere")


def test_since_passes_over_what_has_not_changed(buy: Buy, sandbox: Sandbox) -> None:
    forget(buy(1))
    lose_at_xcover(buy(2))

    report = go(since=timezone.now() + timedelta(hours=1))

    assert (report.is_finished, found()) == (True, [])


def test_it_ends_when_its_time_is_up_and_goes_on_the_next_time(
    buy: Buy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "PAGE", 1)
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
