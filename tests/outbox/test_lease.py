"""The rules of a lease, which are the same for operations and for webhook deliveries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover.models import Operation, OperationKind, WebhookDelivery
from django_xcover.outbox import operations
from django_xcover.outbox.lease import LONGEST_POSTPONED, Lease
from django_xcover.sync.webhooks import inbox
from django_xcover.testing.factories import WebhookDeliveryFactory
from tests.conftest import Shopper, the_package

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture(params=["operation", "delivery"])
def lease(request: pytest.FixtureRequest) -> Lease[Any]:
    """Return a lease for which there is one row, due now."""
    if request.param == "delivery":
        WebhookDeliveryFactory.create(package=None)
        return inbox.LEASE
    shopper: Shopper = request.getfixturevalue("shopper")
    shopper.says(yes=True)
    operations.enqueue(the_package(), OperationKind.BOOK)
    return operations.LEASE


def the_row(lease: Lease[Any]) -> Operation | WebhookDelivery:
    row: Operation | WebhookDelivery = lease.model.objects.get()
    return row


def claimed(lease: Lease[Any]) -> Operation | WebhookDelivery:
    row: Operation | WebhookDelivery | None = lease.claim(the_row(lease).pk)
    assert row is not None
    return row


def let_it_lapse(lease: Lease[Any]) -> None:
    lease.model.objects.update(**{lease.until: timezone.now() - timedelta(seconds=1)})


WRITES: dict[str, Callable[[Lease[Any], Any], object]] = {
    "take": lambda lease, row: lease.take(row),
    "put back": lambda lease, row: lease.put_back(row, 1.0),
    "fail": lambda lease, row: lease.fail(row, permanent=False, retry_after=0.0),
    "write": lambda lease, row: lease.write(row, lease.waiting),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_worker_that_outlived_its_lease_changes_nothing(
    lease: Lease[Any], write: Callable[[Lease[Any], Any], object]
) -> None:
    slow = claimed(lease)
    let_it_lapse(lease)
    claimed(lease)

    assert not write(lease, slow)
    assert the_row(lease).state == lease.held
    assert the_row(lease).attempts == 2


def test_a_row_that_is_held_is_neither_claimed_nor_swept(lease: Lease[Any]) -> None:
    row = claimed(lease)

    assert lease.claim(row.pk) is None
    assert lease.sweep() == []

    let_it_lapse(lease)
    assert lease.sweep() == [row.pk]


def test_a_row_is_put_back_for_no_longer_than_the_rate_limit_can_ask(lease: Lease[Any]) -> None:
    assert lease.put_back(claimed(lease), 10.0**9)

    assert the_row(lease).state == lease.waiting
    assert the_row(lease).next_attempt_at <= timezone.now() + timedelta(seconds=LONGEST_POSTPONED)
    assert the_row(lease).failures == 0


def test_a_row_waits_after_a_failure_and_stops_after_a_permanent_one(lease: Lease[Any]) -> None:
    assert lease.fail(claimed(lease), permanent=False, retry_after=0.0)
    assert the_row(lease).state == lease.waiting
    assert the_row(lease).next_attempt_at > timezone.now()

    lease.model.objects.update(next_attempt_at=timezone.now())
    assert lease.fail(claimed(lease), permanent=True, retry_after=0.0)
    assert the_row(lease).state == lease.stopped
    assert the_row(lease).failures == 2
    assert lease.sweep() == []


def test_a_row_is_dispatched_after_the_commit(
    lease: Lease[Any], django_capture_on_commit_callbacks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatched: list[int] = []
    monkeypatch.setattr(Lease, "dispatch", lambda self, pk: dispatched.append(pk))

    with django_capture_on_commit_callbacks(execute=True):
        lease.announce(7)
        assert dispatched == []

    assert dispatched == [7]
