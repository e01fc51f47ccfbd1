"""`xcover_work`: bookings, webhooks and periodic tasks without Celery."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import OperationalError
from django.utils import timezone

from django_xcover import tasks
from django_xcover.management.commands import xcover_work
from django_xcover.models import Heartbeat, Operation, OperationState, QuotePackage
from django_xcover.policies import instalments
from tests import completion
from tests.conftest import Shopper, the_operation, the_package
from tests.shop import Shop


@pytest.fixture(autouse=True)
def without_celery(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the shop have chosen the command, and fail if anything reaches for a broker."""
    settings.XCOVER = {**settings.XCOVER, "RUNNER": "command"}
    monkeypatch.setattr("celery.app.task.Task.apply_async", lambda *_, **__: pytest.fail("broker"))


@pytest.fixture
def paid(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return the package of a paid order that is not booked yet."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_package()


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Replace the periodic tasks by ones that only note their names."""
    names: list[str] = []

    def noting(name: str) -> Any:
        def task() -> None:
            names.append(name)

        task.__name__ = name
        return task

    schedule = [(noting(task.__name__), interval) for task, interval in xcover_work.SCHEDULE]
    monkeypatch.setattr(xcover_work, "SCHEDULE", schedule)
    return names


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    """Put back the handlers that the command replaces."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def once() -> None:
    call_command("xcover_work", once=True)


@pytest.mark.django_db(transaction=True)
def test_one_pass_books_what_is_paid(paid: QuotePackage) -> None:
    assert the_operation().state == OperationState.PENDING

    once()

    assert the_package().status == "CONFIRMED"
    assert the_operation().state == OperationState.DONE


@pytest.mark.django_db(transaction=True)
def test_a_booking_that_fails_waits_for_its_next_attempt(paid: QuotePackage, sandbox: Any) -> None:
    sandbox.faults.add("create_booking", "status", status=503, times=5)

    once()
    once()

    operation = the_operation()
    assert (operation.state, operation.failures) == (OperationState.PENDING, 1)


@pytest.mark.django_db(transaction=True)
def test_a_booking_in_instalments_has_its_schedule_read_in_the_same_pass(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    monkeypatch.setattr(instalments, "has_plan", lambda package: True)
    monkeypatch.setattr(instalments, "mirror", lambda package: read.append(package.pk))
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)

    once()

    assert read == [the_package().pk]


@pytest.mark.django_db
def test_a_task_that_fails_is_logged_and_stops_no_other(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    shopper = "Ada Lovelace"

    def sweep_operations() -> None:
        raise RuntimeError(shopper)

    rest = [row for row in xcover_work.SCHEDULE if row[0].__name__ != "sweep_operations"]
    monkeypatch.setattr(xcover_work, "SCHEDULE", [(sweep_operations, timedelta()), *rest])

    once()

    assert "sweep_operations has failed" in caplog.text
    assert "Ada" not in caplog.text
    assert "reconcile" in ran


@pytest.mark.django_db
def test_a_database_that_is_away_for_a_moment_does_not_end_the_process(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(manager: Any, **kwargs: Any) -> Any:
        raise OperationalError("server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(type(Heartbeat.objects), "get_or_create", away)
        once()

    assert "count_offers has failed" in caplog.text
    assert ran == ["sweep_operations", "sweep_webhooks"]
    once()
    assert "reconcile" in ran


@pytest.mark.django_db
def test_a_daily_task_that_failed_is_tried_again_after_an_hour(
    monkeypatch: pytest.MonkeyPatch, clock: Any
) -> None:
    tried: list[bool] = []

    def forget_webhooks() -> None:
        tried.append(True)
        raise RuntimeError

    monkeypatch.setattr(xcover_work, "SCHEDULE", [(forget_webhooks, timedelta(days=1))])

    for minutes in (0, 59, 2):
        clock.shift(timedelta(minutes=minutes))
        once()

    assert len(tried) == 2


@pytest.mark.django_db
def test_what_is_due_once_a_day_runs_once_a_day(ran: list[str], clock: Any) -> None:
    once()
    ran.clear()

    once()
    assert ran == ["sweep_operations", "sweep_webhooks"]

    clock.shift(timedelta(hours=1))
    ran.clear()
    once()
    assert ran == [
        *("sweep_operations", "sweep_webhooks", "sweep_instalments"),
        *("count_offers", "reconcile"),
    ]


@pytest.mark.django_db
def test_a_time_in_the_future_holds_no_task_back(ran: list[str]) -> None:
    Heartbeat.objects.create(name="reconcile", at=timezone.now() + timedelta(days=30))

    once()

    assert "reconcile" in ran


@pytest.mark.django_db
def test_of_two_processes_one_runs_the_task(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    long_ago = timezone.now() - timedelta(days=2)
    Heartbeat.objects.create(name="reconcile", at=long_ago)
    get_or_create = type(Heartbeat.objects).get_or_create

    def another_process_is_quicker(manager: Any, **kwargs: Any) -> Any:
        found = get_or_create(manager, **kwargs)
        Heartbeat.objects.filter(name="reconcile").update(at=timezone.now())
        return found

    monkeypatch.setattr(type(Heartbeat.objects), "get_or_create", another_process_is_quicker)

    once()

    assert "reconcile" not in ran


@pytest.mark.django_db
@pytest.mark.usefixtures("signals_as_before")
def test_it_works_until_it_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    passes: list[bool] = []

    def work(stopped: threading.Event) -> None:
        passes.append(stopped.is_set())
        if len(passes) == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(xcover_work, "PAUSE", 0.01)
    monkeypatch.setattr(xcover_work, "work", work)

    call_command("xcover_work", stdout=StringIO())

    assert passes == [False, False]


@pytest.mark.django_db
def test_a_process_that_is_stopped_starts_no_further_task(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = threading.Event()
    stopped.set()

    xcover_work.work(stopped)

    assert ran == []


@pytest.mark.django_db
def test_the_schedule_has_every_periodic_task() -> None:
    """docs/installation.md lists what beat sends; a test there compares it with the tasks."""
    periodic = {task.__name__ for task, _ in xcover_work.SCHEDULE}
    for_one_row = {"run_operation", "send_withdrawal_email", "prepare_renewal"}
    for_one_row |= {"mirror_instalments", "process_delivery"}

    assert periodic | for_one_row == set(tasks.__all__)
    assert not Operation.objects.exists()
