"""What waits behind a step that needs a person: the worker is not to blame."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from django_xcover.models import Operation, OperationKind, OperationState
from django_xcover.outbox import operations
from django_xcover.support.next_steps import next_step_of
from django_xcover.support.timeline import order_story
from django_xcover.testing.factories import OperationFactory
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def behind(shopper: Shopper, shop: Shop) -> Operation:
    """Return an e-mail that is long due, behind a booking that needs a person."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    Operation.objects.update(
        state=OperationState.NEEDS_PERSON,
        error={"type": "validation_failed", "status": 422, "permanent": True},
    )
    return OperationFactory.create(
        package=the_package(),
        kind=OperationKind.SEND_EMAIL,
        subject="BOOKING_CREATED:1",
        next_attempt_at=timezone.now() - timedelta(hours=1),
    )


def test_staff_read_what_it_waits_for_and_not_that_a_worker_is_missing(behind: Operation) -> None:
    [step] = next_step_of(behind)

    assert "earlier operation" in step.what
    assert not step.urgent
    assert "worker" not in step.what + step.to_do


def test_the_story_tells_of_the_first_and_blames_no_worker(behind: Operation) -> None:
    story = order_story(behind.package.order_reference)

    assert story is not None
    [first, second] = story.next_steps
    assert first.urgent
    assert second.row == behind
    assert "worker" not in second.what


@pytest.mark.parametrize("state", [OperationState.PENDING, OperationState.NEEDS_PERSON])
def test_nothing_waits_for_an_email_that_xcover_cannot_send(
    shopper: Shopper, shop: Shop, state: OperationState
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    later = timezone.now() + timedelta(hours=1)
    email = {"package": the_package(), "kind": OperationKind.SEND_EMAIL, "subject": ":1"}
    OperationFactory.create(**email, state=state, failures=3, next_attempt_at=later)

    renewal = OperationFactory.create(package=the_package(), kind=OperationKind.RENEW, subject="7")

    assert operations.claim(renewal.pk) == renewal


def test_an_email_waits_for_the_booking_that_it_is_about(behind: Operation) -> None:
    assert operations.claim(behind.pk) is None
