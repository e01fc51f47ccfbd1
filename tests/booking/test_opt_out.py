"""Telling XCover that an offer was not taken."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from django_xcover import signals
from django_xcover.clients import factory
from django_xcover.models import Operation, OperationState
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def declined(shopper: Shopper, shop: Shop) -> Operation:
    """Return the opt-out of an order without cover, to be carried out."""
    shopper.says(yes=False)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


def test_a_package_that_is_booked_is_not_opted_out(declined: Operation, sandbox: Sandbox) -> None:
    sandbox.faults.add("opt_out", "status", status=503, times=5)
    work()
    _book_at_xcover()
    Operation.objects.update(next_attempt_at=timezone.now())

    work()

    assert the_operation().state == OperationState.DISCARDED
    assert sandbox.package(the_package().package_id)["status"] == "CONFIRMED"


def test_an_answer_that_is_lost_is_not_asked_for_twice(
    declined: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("opt_out", "process_then_reset", times=5)
    work()
    asked = len(sandbox.calls("opt_out"))
    Operation.objects.update(next_attempt_at=timezone.now())

    work()

    assert len(sandbox.calls("opt_out")) == asked
    assert the_package().status == "OPTED_OUT"


def test_a_package_xcover_does_not_know_needs_a_person(
    declined: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("opt_out", "status", status=404)

    work()

    assert the_operation().state == OperationState.NEEDS_PERSON


def test_opted_out_is_announced_and_the_quotes_stay_as_they_are(
    declined: Operation, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[str] = []

    def hear(sender: type, package: Any, **kwargs: Any) -> None:
        heard.append(package.package_id)

    signals.opted_out.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            work()
    finally:
        signals.opted_out.disconnect(hear)

    assert heard == [the_package().package_id]
    assert {quote.status for quote in the_package().quotes.all()} == {"RECEIVED"}


def _book_at_xcover() -> None:
    quotes = [{"id": quote.quote_id} for quote in the_package().quotes.all()]
    holder = {"first_name": "A", "last_name": "B", "email": "a@example.com", "country": "GB"}
    payload = {"quotes": quotes, "policyholder": holder}
    factory.client_for("default").create_booking(
        the_package().package_id, payload, idempotency_key="by-phone"
    )
