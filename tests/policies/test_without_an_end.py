"""Cover without an end, from a policy type whose version is a text: bought, shown, cancelled."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine
from django.template.loader import render_to_string
from django.utils import timezone

from django_xcover.models import Cancellation, Policy, QuotePackage, Status
from django_xcover.overview.policies import PolicyState, policy_rows, summarise
from django_xcover.policies import cancellation, renewal
from tests.buying import buys
from tests.conftest import Shopper, work
from tests.shop import Shop, laptop

pytestmark = pytest.mark.django_db


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return the booking of a retail policy as XCover sells them since 2026."""
    return buys(shopper, shop, replace(laptop(), policy_type_version="2"))


def test_it_is_booked_as_it_was_agreed_and_without_a_flag(booked: QuotePackage) -> None:
    policy = Policy.objects.get()

    assert (policy.status, policy.policy_end_date) == (Status.CONFIRMED, None)
    assert booked.attention == ""


def test_it_is_active_for_years_and_its_period_says_only_when_it_begins(
    booked: QuotePackage,
) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=2000)):
        shown = summarise(policy_rows().get())

    assert shown.state == PolicyState.ACTIVE
    period = render_to_string(
        "xcover/_period.html", {"starts": shown.starts, "ends": shown.ends}
    ).strip()
    assert period.startswith("From ")


def test_it_is_cancelled_and_never_due_for_renewal(booked: QuotePackage) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=700)):
        assert renewal.find_due() == []

    cancellation.cancel_now(booked, origin=Cancellation.Origin.STAFF)
    work()

    assert Policy.objects.get().status == Status.CANCELLED
