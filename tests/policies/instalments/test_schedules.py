"""The schedule is XCover's, to the cent, and never the price divided."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from django_xcover import signals, tasks
from django_xcover.client import XCoverError
from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Instalment, Quote, QuotePackage
from django_xcover.policies import instalments
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.policies.instalments.conftest import BOUGHT, Buy, entry
from tests.policies.renewal.conftest import ENDS, yearly
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def spoilt(sandbox: Sandbox, **changes: Any) -> None:
    """Let the next schedule be another than XCover's, in its first entry."""
    client = factory.client_for("default")
    wire = client.get_instalments(the_package().package_id)
    wire["quotes"][0]["payment_schedule"][0] |= changes
    body = {**wire, "quotes": [dict(quote) for quote in wire["quotes"]]}
    sandbox.faults.add("get_instalments", "status", status=200, body=body)


def test_when_xcover_cannot_be_asked_the_schedule_stays(
    schedule: list[Instalment], sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_instalments", "status", status=503, times=None)

    with pytest.raises(XCoverError):
        instalments.mirror(the_package())

    assert Instalment.objects.count() == 12


@pytest.mark.parametrize("field", ["total_amount", "period_start_date", "period_end_date"])
def test_a_schedule_without_amount_or_period_is_refused_as_a_whole(
    buy: Buy, sandbox: Sandbox, field: str
) -> None:
    package = buy()
    spoilt(sandbox, **{field: None})

    with pytest.raises(XCoverError, match=field):
        instalments.mirror(package)

    assert not Instalment.objects.exists()


def test_an_older_answer_does_not_unpay_what_was_paid(
    second: Instalment, caplog: pytest.LogCaptureFixture
) -> None:
    Instalment.objects.filter(pk=second.pk).update(status="PAID")
    caplog.set_level("INFO")

    instalments.mirror(the_package())

    second.refresh_from_db()
    assert second.status == "PAID"
    assert "stays PAID" in caplog.text


def test_a_failed_payment_stays_failed_until_it_is_paid(
    second: Instalment, sandbox: Sandbox
) -> None:
    instalments.report(second, paid=False)
    work()
    instalments.mirror(the_package())
    second.refresh_from_db()
    assert (second.status, second.failures) == ("FAILED", 1)

    instalments.report(second, paid=True)
    work()
    instalments.mirror(the_package())
    second.refresh_from_db()
    assert second.status == "PAID"


def test_a_failure_xcover_learnt_of_elsewhere_is_mirrored(second: Instalment) -> None:
    reported = {
        "id": second.quote.quote_id,
        "instalment_number": 2,
        "payment_status": "FAILED",
    }
    client = factory.client_for("default")
    client.update_instalment_payment_status(the_package().package_id, {"quotes": [reported]})

    instalments.mirror(the_package())

    second.refresh_from_db()
    assert (second.status, second.failures) == ("FAILED", 1)


def test_an_entry_xcover_dropped_is_dropped_unless_it_is_paid(schedule: list[Instalment]) -> None:
    quote = Quote.objects.get()
    for number, status in ((13, "UNPAID"), (14, "PAID")):
        row = Instalment.objects.get(pk=schedule[11].pk)
        row.pk, row.number, row.status = None, number, status
        row.save(force_insert=True)

    instalments.mirror(the_package())

    numbers = quote.instalments.order_by("number").values_list("number", flat=True)
    assert list(numbers) == [*range(1, 13), 14]


def test_a_booking_without_a_plan_has_no_schedule(buy: Buy) -> None:
    package = buy(plan="")

    assert instalments.mirror(package) == []
    assert instalments.sums(package.quotes.get()) is None
    assert instalments.next_due(package.quotes.get()) is None
    assert not instalments.has_plan(package)


def test_the_schedule_is_mirrored_once_however_often_it_is_read(
    schedule: list[Instalment], sandbox: Sandbox
) -> None:
    again = instalments.mirror(the_package())

    assert [row.pk for row in again] == [row.pk for row in schedule]
    assert [row.status for row in schedule] == ["PAID"] + ["UNPAID"] * 11
    assert [row.instalment_id for row in again] == [entry(sandbox, row)["id"] for row in again]


@pytest.mark.parametrize(
    ("price", "where"),
    [
        ("1201", {"currency": "GBP", "country": "GB"}),
        ("230001", {"currency": "JPY", "country": "JP"}),
        ("471.253", {"currency": "KWD", "country": "KW"}),
    ],
)
def test_the_sums_are_the_schedules_and_not_the_price(
    buy: Buy, sandbox: Sandbox, price: str, where: dict[str, str]
) -> None:
    package = buy(price, **where)
    rows = instalments.mirror(package)

    found = instalments.sums(package.quotes.get())

    assert found is not None
    amounts = [entry(sandbox, row)["amount"] for row in rows]
    assert [row.total_amount for row in rows] == amounts
    assert (found.paid.amount, found.due.amount) == (amounts[0], sum(amounts[1:], Decimal(0)))
    assert found.whole.currency == where["currency"]
    assert found.whole.amount != package.quotes.get().price


def test_overdue_is_what_has_begun_and_is_not_paid(schedule: list[Instalment], clock: Any) -> None:
    assert list(instalments.overdue()) == []

    clock.move_to(BOUGHT + timedelta(days=62))  # the second and the third have begun

    assert list(instalments.overdue()) == schedule[1:3]
    instalments.report(schedule[1], paid=True)
    work()
    assert list(instalments.overdue()) == schedule[2:3]
    assert instalments.next_due(Quote.objects.get()) == schedule[2]


def test_what_is_reported_as_paid_is_not_collected_again_before_xcover_knows(
    schedule: list[Instalment], clock: Any
) -> None:
    clock.move_to(BOUGHT + timedelta(days=62))
    before = instalments.sums(Quote.objects.get())

    instalments.report(schedule[1], paid=True)

    after = instalments.sums(Quote.objects.get())
    assert before is not None
    assert after is not None
    assert instalments.next_due(Quote.objects.get()) == schedule[2]
    assert list(instalments.overdue()) == schedule[2:3]
    assert after.paid == before.paid + schedule[1].amount
    assert after.whole == before.whole


def test_a_failed_payment_is_still_to_be_collected(second: Instalment) -> None:
    instalments.report(second, paid=False)

    assert instalments.next_due(Quote.objects.get()) == second


@pytest.mark.parametrize("status", ["CANCELLED", "RENEWED"])
def test_the_next_is_due_only_while_it_is_collected_for(second: Instalment, status: str) -> None:
    Quote.objects.update(status=status)

    due = instalments.next_due(Quote.objects.get())

    # A policy that was renewed can still owe its last instalments.
    assert due == (second if status == "RENEWED" else None)


def test_nothing_is_overdue_on_a_cancelled_policy(schedule: list[Instalment], clock: Any) -> None:
    clock.move_to(BOUGHT + timedelta(days=62))
    package = the_package()
    factory.client_for("default").cancel_booking(package.package_id, idempotency_key="x")
    refresh.refresh(package)

    assert list(instalments.overdue()) == []


def test_the_overdue_list_costs_one_query(
    schedule: list[Instalment], clock: Any, django_assert_num_queries: Any
) -> None:
    clock.move_to(BOUGHT + timedelta(days=200))

    with django_assert_num_queries(1):
        assert [row.quote.package.package_id for row in instalments.overdue()]


def test_the_plan_chosen_is_booked(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> None:
    shopper.says(yes=True)
    Quote.objects.update(instalment_plan="1year-quarterly")
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()

    [quote] = sandbox.package(the_package().package_id)["quotes"]
    assert quote["instalment_plan"] == "1year-quarterly"
    assert len(instalments.mirror(the_package())) == 4


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the bookings whose schedule a task is to read."""
    found: list[int] = []
    monkeypatch.setattr(
        tasks.mirror_instalments, "apply_async", lambda args, **options: found.append(*args)
    )
    return found


@pytest.mark.parametrize("plan", ["", "1year-monthly"])
def test_a_booking_with_a_plan_has_its_schedule_read_after_the_commit(
    buy: Buy, sent: list[int], plan: str, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        package = buy(plan=plan)
        assert sent == []

    assert sent == ([package.pk] if plan else [])


def test_a_broker_that_is_away_undoes_no_booking_and_the_sweep_makes_up_for_it(
    buy: Buy, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def away(*args: Any, **options: Any) -> None:
        raise OSError("no broker")

    with monkeypatch.context() as patched:
        patched.setattr(tasks.mirror_instalments, "apply_async", away)
        with django_capture_on_commit_callbacks(execute=True):
            package = buy()

    assert the_package().status == "CONFIRMED"
    assert instalments.unmirrored() == [package]


def test_the_sweep_reads_what_no_task_has_read(buy: Buy, sent: list[int], clock: Any) -> None:
    package = buy()
    tasks.sweep_instalments()
    assert sent == [package.pk]

    tasks.mirror_instalments(package.pk)

    assert Instalment.objects.count() == 12
    assert instalments.unmirrored() == []


def test_a_schedule_that_never_comes_is_asked_for_thirty_days(buy: Buy, clock: Any) -> None:
    buy()
    clock.move_to(BOUGHT + timedelta(days=31))

    assert instalments.unmirrored() == []


def test_a_task_that_cannot_reach_xcover_leaves_the_rest_to_the_sweep(
    buy: Buy, sandbox: Sandbox
) -> None:
    package = buy()
    sandbox.faults.add("get_instalments", "status", status=503, times=5)

    tasks.mirror_instalments(package.pk)

    assert instalments.unmirrored() == [package]


def test_a_renewed_booking_has_its_schedule_read(sent: list[int], buy: Buy) -> None:
    package = buy()
    sent.clear()

    signals.policy_renewed.send(sender=QuotePackage, renewal=None, package=package)

    assert sent == [package.pk]


@pytest.fixture
def renewed(shopper: Shopper, shop: Shop, clock: Any, sandbox: Sandbox) -> QuotePackage:
    """Return a booking paid month by month whose next period, paid so too, was renewed elsewhere.

    The schedule of the first period is mirrored, and the next one's is not.
    """
    shopper.cart = shopper.cart.but(items=(yearly(),))
    shopper.says(yes=True)
    Quote.objects.update(instalment_plan="1year-monthly")
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    instalments.mirror(the_package())
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    [read] = renewing.quote(renewal).payload["quotes"]
    dates = {"policy_start_date": read["policy_start_date"]}
    body = {"quotes": [{"id": read["id"], **dates, "instalment_plan": "1year-monthly"}]}
    client = factory.client_for("default")
    client.renewal_confirmation(the_package().package_id, renewal.renewal_id, body)
    refresh.refresh(the_package())
    renewing.find_due()
    return the_package()


def test_a_renewed_schedule_whose_reading_failed_is_read_again(
    renewed: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_instalments", "status", status=503, times=5)
    tasks.mirror_instalments(renewed.pk)
    assert instalments.unmirrored() == [renewed]
    sandbox.faults.clear()

    tasks.mirror_instalments(renewed.pk)

    assert Instalment.objects.count() == 24
    assert instalments.unmirrored() == []


@pytest.mark.parametrize(
    ("after", "is_asked_for"),
    [
        (timedelta(days=1), True),
        (timedelta(days=3), False),
        (timedelta(days=21), True),  # the new period has begun
        (timedelta(days=23), False),
    ],
)
def test_a_renewed_schedule_is_asked_for_after_the_renewal_and_when_its_period_begins(
    renewed: QuotePackage, clock: Any, after: timedelta, *, is_asked_for: bool
) -> None:
    clock.shift(after)

    assert instalments.unmirrored() == ([renewed] if is_asked_for else [])


def test_a_renewed_policy_that_was_never_paid_in_parts_has_no_schedule_to_read(
    renewed: QuotePackage,
) -> None:
    Quote.objects.update(instalment_plan="")

    assert instalments.unmirrored() == []
