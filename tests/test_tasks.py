"""The tasks: thin doors, and a broker that carries nothing but primary keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.signals import before_task_publish
from kombu.exceptions import OperationalError

from django_xcover import tasks
from django_xcover.models import Operation, OperationState
from tests import completion
from tests.conftest import Shopper, the_operation
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def paid(shopper: Shopper, shop: Shop) -> Operation:
    """Return the operation of a paid order."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


def test_a_broker_that_is_away_is_no_error_for_the_shopper(
    paid: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(tasks.run_operation, "apply_async", away)

    tasks.dispatch_operation(Operation, pk=paid.pk)

    assert tasks.publisher.flush(5)
    assert the_operation().state == OperationState.PENDING


def test_a_broker_that_cannot_keep_up_leaves_it_to_the_sweeper(
    paid: Operation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks.publisher, "offer", lambda pk: False)

    tasks.dispatch_operation(Operation, pk=paid.pk)

    assert "waits for the sweeper" in caplog.text


def test_a_broker_gets_a_primary_key_and_nothing_else(
    paid: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        tasks.run_operation, "apply_async", lambda *args, **kwargs: sent.append((args, kwargs))
    )

    tasks.dispatch_operation(Operation, pk=paid.pk)

    assert tasks.publisher.flush(5)
    assert sent == [(((paid.pk,),), {"retry": False})]


def test_eager_tasks_run_at_once(paid: Operation) -> None:
    conf = tasks.run_operation.app.conf
    conf.task_always_eager = True
    try:
        tasks.dispatch_operation(Operation, pk=paid.pk)
    finally:
        conf.task_always_eager = False

    assert the_operation().state == OperationState.DONE


def test_the_task_carries_out_the_operation(paid: Operation) -> None:
    tasks.run_operation(paid.pk)

    assert the_operation().state == OperationState.DONE


def test_tasks_keep_the_names_that_schedules_use() -> None:
    assert tasks.run_operation.name == "django_xcover.tasks.run_operation"
    assert tasks.sweep_operations.name == "django_xcover.tasks.sweep_operations"
    assert tasks.find_due_renewals.name == "django_xcover.tasks.find_due_renewals"
    assert tasks.sweep_instalments.name == "django_xcover.tasks.sweep_instalments"
    assert tasks.sweep_unpaid.name == "django_xcover.tasks.sweep_unpaid"


@pytest.mark.parametrize(
    "task", [tasks.sweep_operations, tasks.sweep_webhooks, tasks.sweep_instalments]
)
def test_sweeps_that_piled_up_while_no_worker_ran_are_thrown_away(task: Any) -> None:
    """A worker throws a message away whose `expires` has passed, and beat sends what this sends."""
    sent: list[dict[str, Any]] = []

    def note(sender: str, headers: dict[str, Any], **kwargs: Any) -> None:
        sent.append(headers)

    before_task_publish.connect(note)
    try:
        before = datetime.now(UTC)
        task.apply_async()
        after = datetime.now(UTC)
    finally:
        before_task_publish.disconnect(note)

    lasts = timedelta(seconds=tasks.STALE)
    expires = datetime.fromisoformat(sent[0]["expires"])
    assert before + lasts <= expires <= after + lasts
