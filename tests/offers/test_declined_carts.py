"""What XCover has just refused is not asked again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from django_xcover.clients import cache
from django_xcover.models import QuotePackage
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from tests.caches import Away
from tests.conftest import ReadCart
from tests.shop import Cart, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
START = datetime(2026, 3, 2, 10, tzinfo=UTC)
TOO_DEAR = Cart(items=(laptop(price="90000"),))


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refused_cart_is_asked_for_once(sandbox: Sandbox, read: ReadCart, status: int) -> None:
    sandbox.faults.add("create_quote", "status", status=status)

    assert [quoting.fresh_offer(read(Cart())) for _ in range(3)] == [None] * 3

    assert len(sandbox.calls("create_quote")) == 1


@pytest.mark.parametrize("status", [423, 500, 503])
def test_a_fault_is_no_refusal(sandbox: Sandbox, read: ReadCart, status: int) -> None:
    sandbox.faults.add("create_quote", "status", status=status, times=None)

    assert quoting.fresh_offer(read(Cart())) is None
    sandbox.faults.clear()
    assert quoting.fresh_offer(read(Cart())) is not None


def test_a_rate_limit_that_ends_within_the_deadline_costs_no_offer(
    sandbox: Sandbox, read: ReadCart
) -> None:
    sandbox.faults.add("create_quote", "status", status=429)

    assert quoting.fresh_offer(read(Cart())) is not None


def test_a_cart_of_which_nothing_is_insured_is_asked_for_once(
    sandbox: Sandbox, read: ReadCart
) -> None:
    for _ in range(3):
        assert quoting.fresh_offer(read(TOO_DEAR)) is None

    assert len(sandbox.calls("create_quote")) == 1
    assert not QuotePackage.objects.exists()


def test_a_changed_cart_is_asked_for_at_once_and_the_old_one_is_not(
    sandbox: Sandbox, read: ReadCart
) -> None:
    quoting.fresh_offer(read(TOO_DEAR))

    assert quoting.fresh_offer(read(TOO_DEAR.but(items=(ticket(),)))) is not None
    calls = len(sandbox.calls())
    assert quoting.fresh_offer(read(TOO_DEAR.but(reference="somebody else's"))) is None

    assert len(sandbox.calls()) == calls


@pytest.mark.parametrize("lifetime", [60, 5])
def test_after_a_while_it_is_asked_for_again(
    sandbox: Sandbox, read: ReadCart, settings: Any, lifetime: int
) -> None:
    settings.XCOVER = {**settings.XCOVER, "REFUSAL_LIFETIME": lifetime}
    sandbox.faults.add("create_quote", "status", status=422)

    with time_machine.travel(START, tick=False) as clock:
        quoting.fresh_offer(read(Cart()))
        clock.shift(lifetime - 1)
        assert quoting.fresh_offer(read(Cart())) is None
        clock.shift(2)
        assert quoting.fresh_offer(read(Cart())) is not None


def test_without_a_cache_it_is_asked_for_each_time(sandbox: Sandbox, read: ReadCart) -> None:
    away = Away()
    cache.memory.find = lambda: away

    for _ in range(3):
        assert quoting.fresh_offer(read(TOO_DEAR)) is None

    assert len(sandbox.calls()) == 3
