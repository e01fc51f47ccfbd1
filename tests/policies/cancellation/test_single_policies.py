"""Cancelling one policy of several."""

from __future__ import annotations

import pytest

from django_xcover import exceptions
from django_xcover.models import QuotePackage
from django_xcover.policies import cancellation
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package, work
from tests.policies.cancellation.support import (
    CANCELLED,
    STAFF,
    preview,
    status_at,
    the_cancellation,
)

pytestmark = pytest.mark.django_db


def test_a_booking_stays_confirmed_until_all_its_policies_are_cancelled(
    pair: QuotePackage, sandbox: Sandbox
) -> None:
    tickets, computer = pair.quotes.order_by("position")

    cancellation.request(preview(pair, quotes=[tickets]))
    work()

    statuses = [quote.status for quote in pair.quotes.order_by("position")]
    assert (the_package().status, statuses) == ("CONFIRMED", ["CANCELLED", "CONFIRMED"])
    assert the_cancellation().refund == tickets.cost
    assert the_package().total == computer.cost

    cancellation.cancel_now(pair, quotes=[computer], origin=STAFF)
    work()

    assert status_at(sandbox) == the_package().status == "CANCELLED"


def test_the_rest_of_a_booking_is_what_is_left_of_it(pair: QuotePackage) -> None:
    tickets, computer = pair.quotes.order_by("position")
    cancellation.cancel_now(pair, quotes=[tickets], origin=STAFF)
    work()

    found = preview(pair)

    assert [quote.pk for quote in found.quotes.all()] == [computer.pk]
    assert found.refund == computer.cost


def test_naming_a_cancelled_policy_among_others_is_refused(pair: QuotePackage) -> None:
    tickets, computer = pair.quotes.order_by("position")
    cancellation.cancel_now(pair, quotes=[tickets], origin=STAFF)
    work()

    with pytest.raises(exceptions.AlreadyCancelled, match=f"^{CANCELLED}$"):
        preview(pair, quotes=[tickets, computer])
