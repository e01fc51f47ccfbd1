"""What a machine wrote while its clock ran a month ahead holds nothing up for a month."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover.models import (
    Operation,
    OperationState,
    QuotePackage,
    WebhookDelivery,
)
from django_xcover.outbox import lease, operations
from django_xcover.policies.renewal import quoting
from django_xcover.sync import webhooks
from django_xcover.sync.reconciliation.run import take
from django_xcover.sync.webhooks import inbox
from django_xcover.testing.factories import (
    ReconciliationFactory,
    RenewalFactory,
    WebhookDeliveryFactory,
)
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
MONTH = timedelta(days=30)


@pytest.fixture
def booking(shopper: Shopper, shop: Shop) -> Operation:
    """Return the operation that books a paid order's cover."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return Operation.objects.get()


def test_an_operation_leased_in_the_future_is_taken_over(booking: Operation) -> None:
    Operation.objects.update(state=OperationState.RUNNING, lease_until=timezone.now() + MONTH)

    assert operations.sweep() == [booking.pk]
    assert operations.claim(booking.pk) is not None


def test_an_operation_planned_in_the_future_is_due(booking: Operation) -> None:
    Operation.objects.update(next_attempt_at=timezone.now() + MONTH)

    assert operations.sweep() == [booking.pk]
    assert operations.claim(booking.pk) is not None


def test_the_longest_wait_that_xcover_may_ask_for_is_kept(booking: Operation) -> None:
    Operation.objects.update(next_attempt_at=lease.next_attempt(1, 10**9))

    assert operations.sweep() == []
    assert operations.claim(booking.pk) is None


def test_a_lease_of_now_is_kept(booking: Operation) -> None:
    assert operations.claim(booking.pk) is not None

    assert operations.sweep() == []
    assert operations.claim(booking.pk) is None


@pytest.mark.parametrize(
    "state", [WebhookDelivery.State.RECEIVED, WebhookDelivery.State.PROCESSING]
)
def test_a_webhook_of_the_future_is_taken(state: Any) -> None:
    delivery = WebhookDeliveryFactory.create(
        package=None, state=state, next_attempt_at=timezone.now() + MONTH
    )

    assert webhooks.sweep() == [delivery.pk]
    assert inbox.claim(delivery.pk) is not None


def test_a_webhook_leased_in_the_future_holds_no_other_of_its_booking_up() -> None:
    ahead = timezone.now() + MONTH
    first = WebhookDeliveryFactory.create(package=None, processing=True, next_attempt_at=ahead)
    other = WebhookDeliveryFactory.create(package=None, package_id=first.package_id, key="other")

    assert inbox.claim(other.pk) is not None


def test_a_pass_of_reconciliation_leased_in_the_future_is_gone_on_with() -> None:
    ReconciliationFactory.create(
        account="default", under_way=True, attempts=1, lease_until=timezone.now() + MONTH
    )

    assert take("default", since=None).row.attempts == 2


def test_a_booking_met_by_a_pass_of_the_future_is_still_missed_now(booking: Operation) -> None:
    work()
    QuotePackage.objects.update(reconciled_at=timezone.now() + MONTH)

    assert not take("default", since=None).was_met(the_package())


def test_a_customer_is_told_of_a_renewal_whose_lease_lies_in_the_future(
    booking: Operation,
) -> None:
    work()
    renewal = RenewalFactory.create(
        package=the_package(), quoted=True, telling_until=timezone.now() + MONTH
    )

    assert quoting.notify(renewal)
