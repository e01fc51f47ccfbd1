"""A paused account: written down as ever, carried out by nobody, and nothing lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from django_xcover import signals, worker
from django_xcover.models import AccountPause, Operation, OperationState
from django_xcover.outbox import account_pause, operations
from django_xcover.sandbox import Sandbox
from django_xcover.support.next_steps import next_step_of
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def booking(shopper: Shopper, shop: Shop) -> Operation:
    """Return the operation of a paid order with cover, not yet carried out."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


def test_an_account_that_does_not_exist_cannot_be_paused(shop: Shop) -> None:
    with pytest.raises(ImproperlyConfigured):
        account_pause.pause("nowhere", by="ana")

    assert not AccountPause.objects.exists()


def test_no_worker_takes_an_operation_of_a_paused_account(
    booking: Operation, sandbox: Sandbox
) -> None:
    account_pause.pause("default", by="ana", reason="Prices are wrong")

    worker.run(booking.pk)

    assert operations.claim(booking.pk) is None
    assert operations.sweep() == []
    assert sandbox.calls("create_booking") == []


def test_an_operation_whose_worker_died_waits_as_well(booking: Operation) -> None:
    operations.claim(booking.pk)
    Operation.objects.update(lease_until=timezone.now() - timedelta(minutes=5))
    account_pause.pause("default", by="ana")

    assert operations.sweep() == []


def test_a_person_who_retries_moves_nothing_either(booking: Operation, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    work()
    account_pause.pause("default", by="ana")

    operations.retry(the_operation())
    worker.run(booking.pk)

    assert the_operation().state == OperationState.PENDING
    assert len(sandbox.calls("create_booking")) == 1


def test_a_worker_that_is_at_it_finishes(booking: Operation) -> None:
    claimed = operations.claim(booking.pk)
    account_pause.pause("default", by="ana")

    assert claimed is not None
    assert operations.finish(claimed)


def test_other_accounts_go_on(booking: Operation) -> None:
    AccountPause.objects.create(account="eu")

    work()

    assert the_package().status == "CONFIRMED"


def test_what_is_written_meanwhile_is_carried_out_after_the_resumption(
    shopper: Shopper, shop: Shop, django_capture_on_commit_callbacks: Any
) -> None:
    account_pause.pause("default", by="ana")
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    ready: list[int] = []

    def hear(sender: Any, pk: int, **kwargs: Any) -> None:
        ready.append(pk)

    signals.operation_ready.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        assert account_pause.resume("default", by="ana")
    signals.operation_ready.disconnect(hear)
    work()

    assert ready == [the_operation().pk]
    assert the_package().status == "CONFIRMED"


def test_the_first_reason_stands(shop: Shop) -> None:
    account_pause.pause("default", by="ana", reason="Prices are wrong")
    account_pause.pause("default", by="ben", reason="Me too")

    row = AccountPause.objects.get()

    assert (row.paused_by, row.reason) == ("ana", "Prices are wrong")
    assert account_pause.is_paused("default")


def test_resuming_what_is_not_paused_does_nothing(shop: Shop) -> None:
    assert not account_pause.resume("default", by="ana")


def test_staff_read_that_the_account_is_paused_and_not_that_a_worker_is_missing(
    booking: Operation,
) -> None:
    Operation.objects.update(next_attempt_at=timezone.now() - timedelta(hours=1))
    account_pause.pause("default", by="ana")

    [step] = next_step_of(the_operation())

    assert "paused" in step.what
    assert "worker" not in step.to_do
