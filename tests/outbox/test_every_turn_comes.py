"""What fails again and again takes nobody's turn, and a clock that is set back stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache.backends.locmem import LocMemCache
from django.utils import timezone

from django_xcover.booking import overdue_payments
from django_xcover.client import ServerFault, UnexpectedAnswer
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker, rate_limits
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.clients.rate_limits import Bucket
from django_xcover.exceptions import CircuitOpen
from django_xcover.models import Attention, QuotePackage, Status
from django_xcover.policies import instalments, renewal
from django_xcover.sandbox import Sandbox
from django_xcover.testing.factories import QuotePackageFactory, RenewalFactory
from tests.shop import Shop

pytestmark = pytest.mark.every_engine

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


def package(number: int, account: str = "default", **facts: Any) -> QuotePackage:
    """Return a booking that only the mirror knows."""
    booked_at = timezone.now() - timedelta(days=30 - number)
    times = {"quoted_at": booked_at, "booked_at": booked_at}
    state = {"pending_payment": True, "order_reference": "", "labels": ()}
    return QuotePackageFactory.create(account=account, **state | times | facts)


# Sweeps with a limit


@pytest.mark.django_db
def test_bookings_of_an_account_that_is_gone_keep_no_other_from_being_flagged(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue_payments, "LIMIT", 1)
    package(1, account="gone")
    package(2)

    overdue_payments.sweep()

    assert QuotePackage.objects.get(account="default").attention == Attention.PAYMENT_OVERDUE


@pytest.mark.django_db
def test_an_overdue_booking_that_xcover_does_not_know_is_a_persons_at_once(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overdue_payments, "LIMIT", 1)
    package(1)
    package(2)

    overdue_payments.sweep()
    overdue_payments.sweep()

    flagged = QuotePackage.objects.filter(attention=Attention.PAYMENT_OVERDUE)
    assert flagged.count() == 2


@pytest.mark.django_db
def test_renewals_that_xcover_never_prices_keep_no_other_from_its_price(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_xcover.policies.renewal.due.LIMIT", 2)
    now = timezone.now()
    for number in range(5):
        booked = package(number, status=Status.CONFIRMED)
        booked.quotes.create(
            quote_id=f"q{number}",
            status=Status.CONFIRMED,
            policy_type="x",
            policy_name="x",
            price=1,
        )
        RenewalFactory.create(package=booked, due=True, due_on=now + timedelta(days=number))

    found = {row.pk for _day in range(3) for row in renewal.find_due()}

    assert len(found) == 5


@pytest.mark.django_db
def test_schedules_that_never_come_keep_no_new_one_from_being_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_xcover.policies.instalments.schedules.LIMIT", 2)
    for number in range(1, 5):
        booked = package(number, status=Status.CONFIRMED)
        booked.quotes.create(
            quote_id=f"q{number}",
            status=Status.CONFIRMED,
            policy_type="x",
            policy_name="x",
            price=1,
            instalment_plan="1year-monthly",
        )

    assert booked in instalments.unmirrored()


# A clock that is set back


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def cache(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> LocMemCache:
    cache = LocMemCache("turns", {})
    cache.clear()
    monkeypatch.setattr(shared_cache, "memory", shared_cache.Memory(lambda: cache))
    return cache


def fail(times: int) -> None:
    for _ in range(times):
        with pytest.raises(ServerFault), circuit_breaker.guard("default"):
            raise ServerFault(status=503)


def test_a_clock_that_is_set_back_keeps_no_circuit_open(
    cache: LocMemCache, clock: time_machine.Traveller
) -> None:
    fail(3)
    with pytest.raises(CircuitOpen), circuit_breaker.guard("default"):
        pass

    clock.move_to(START - timedelta(hours=1))

    assert circuit_breaker.state("default").circuit == Circuit.HALF_OPEN
    with circuit_breaker.guard("default"):
        pass
    assert circuit_breaker.state("default").circuit == Circuit.CLOSED


def test_a_success_that_a_clock_set_back_has_put_into_the_future_hides_no_faults(
    cache: LocMemCache, clock: time_machine.Traveller
) -> None:
    with circuit_breaker.guard("default"):
        pass
    clock.move_to(START - timedelta(hours=1))

    fail(3)

    assert circuit_breaker.state("default").circuit == Circuit.OPEN


def test_a_clock_that_is_set_back_prolongs_no_pause(
    cache: LocMemCache, clock: time_machine.Traveller
) -> None:
    bucket = Bucket("test", 5.0)
    rate_limits._pause(bucket, 30.0)
    assert rate_limits._take(cache, bucket, START.timestamp()) == 30.0

    clock.move_to(START - timedelta(hours=1))

    assert rate_limits._take(cache, bucket, START.timestamp() - 3600) == 0.0
    assert rate_limits._state(bucket, "sales").paused_until is None


@pytest.mark.parametrize("status", [403, 404, 429])
def test_a_4xx_that_cannot_be_read_is_a_4xx(
    cache: LocMemCache, clock: time_machine.Traveller, status: int
) -> None:
    for _ in range(5):
        with pytest.raises(UnexpectedAnswer), circuit_breaker.guard("default"):
            raise UnexpectedAnswer("too long", status=status)

    assert circuit_breaker.state("default").circuit == Circuit.CLOSED
