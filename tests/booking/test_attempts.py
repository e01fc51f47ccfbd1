"""One attempt at an operation ends in the ledger, whatever goes wrong and whoever is late."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_xcover import worker
from django_xcover.booking import booking
from django_xcover.clients import cache as shared_cache
from django_xcover.mirror import packages
from django_xcover.models import Operation, OperationKind, OperationState
from django_xcover.outbox import lease, operations
from django_xcover.outbox.failures import Obsolete
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def paid(shopper: Shopper, shop: Shop) -> Operation:
    """Return the operation of a paid order, not yet carried out."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


def test_a_booking_that_cannot_be_stored_is_brought_before_a_person(
    paid: Operation, sandbox: Sandbox
) -> None:
    def refuse(*args: Any) -> None:
        raise IntegrityError("ana@example.com is there twice")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packages, "apply_answer", refuse)
        for _ in range(5):
            let_time_pass()
            work()

    stuck = the_operation()
    assert stuck.state == OperationState.NEEDS_PERSON
    assert not stuck.outcome_known
    assert "ana@example.com" not in str(stuck.error)
    assert len(sandbox.calls("create_booking")) == 1

    assert operations.retry(stuck)
    work()
    assert the_package().status == "CONFIRMED"


def test_a_worker_that_is_late_does_not_drop_what_another_is_at(
    paid: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def overtaken(operation: Operation) -> None:
        let_time_pass()
        assert operations.claim(operation.pk) is not None
        raise Obsolete("The order was cancelled.")

    monkeypatch.setitem(
        worker.WORKFLOWS, OperationKind.BOOK, worker.Workflow(overtaken, booking.apply)
    )
    worker.run(paid.pk)

    assert the_operation().state == OperationState.RUNNING


def test_a_worker_that_is_late_sends_no_body_of_its_own_under_the_others_key(
    paid: Operation, sandbox: Sandbox, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    Operation.objects.update(request={})
    late = operations.claim(paid.pk)
    assert late is not None
    let_time_pass()
    assert operations.claim(paid.pk) is not None

    with pytest.raises(Obsolete):
        booking.perform(late)

    assert sandbox.calls("create_booking") == []


def test_a_thousand_failures_are_no_error() -> None:
    assert lease.next_attempt(5000, 0) > timezone.now()


def test_a_failure_locks_as_the_shop_does_the_package_first(paid: Operation) -> None:
    """In the other order a cancelled order and a refusal can wait for each other for ever."""
    claimed = operations.claim(paid.pk)
    assert claimed is not None
    failure = operations.Failure(type="X", message="", permanent=True, outcome_known=True)
    refusable = worker.Workflow(booking.perform, booking.apply, lambda *facts: None)

    with CaptureQueriesContext(connection) as queries:
        worker._fail(refusable, claimed, failure)

    tables = [q["sql"] for q in queries if "SAVEPOINT" not in q["sql"]]
    assert "xcover_quotepackage" in tables[0]
    assert "xcover_operation" in tables[1]


def test_a_booking_that_xcover_throttles_every_time_waits_as_told_and_ends_with_a_person(
    memory: shared_cache.Memory,
    clock: time_machine.Traveller,
    paid: Operation,
    sandbox: Sandbox,
) -> None:
    sandbox.faults.add("create_booking", "throttle", times=None, seconds=600)
    work()

    waiting = the_operation()
    assert (waiting.state, waiting.outcome_known) == (OperationState.PENDING, True)
    assert waiting.next_attempt_at > timezone.now() + timedelta(minutes=9)

    for _ in range(4):
        clock.shift(timedelta(hours=1))
        let_time_pass()
        work()

    assert len(sandbox.calls("create_booking")) == 5
    stuck = the_operation()
    assert (stuck.state, stuck.error["type"]) == (OperationState.NEEDS_PERSON, "throttled")
    sandbox.faults.clear()
    clock.shift(timedelta(hours=1))
    assert operations.retry(stuck)
    work()
    assert the_package().status == "CONFIRMED"
