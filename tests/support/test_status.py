"""What is told of circuits and rates, and the one thing that a person may do to a circuit."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.filebased import FileBasedCache

from django_xcover.client import ServerFault, Throttled
from django_xcover.client.connections import Deadline
from django_xcover.client.endpoints import CREATE_QUOTE
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker, rate_limits
from django_xcover.clients.cache import CacheScope, cache_scope
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.conf import get_config
from django_xcover.exceptions import CircuitOpen
from tests.caches import Away, Nonsense
from tests.conftest import START
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.usefixtures("memory")]


def fail(times: int = 3) -> None:
    """Let calls fail, by default as often as opens the circuit."""
    for _ in range(times):
        with suppress(ServerFault), circuit_breaker.guard("default"):
            raise ServerFault(status=503)


def calls_made(of: int) -> int:
    """Try `of` calls that succeed, all at once, and return how many were made."""
    made = 0
    for _ in range(of):
        with suppress(CircuitOpen), circuit_breaker.guard("default"):
            made += 1
            with suppress(CircuitOpen), circuit_breaker.guard("default"):
                made += 100  # while the first is under way
    return made


def throttled(seconds: float | None) -> None:
    """Let XCover refuse a quote and ask for a pause."""
    limiter = rate_limits.limiter_of(get_config().account("default"))
    error = Throttled(status=429, retry_after=seconds)
    with suppress(Throttled), limiter(CREATE_QUOTE, Deadline.after(1)):
        raise error


def test_a_closed_circuit_is_left_alone() -> None:
    fail(1)

    assert not circuit_breaker.try_now("default")
    assert circuit_breaker.state("default").circuit == Circuit.CLOSED


def test_an_open_circuit_lets_one_call_through_at_once_and_closes_when_it_succeeds() -> None:
    fail()
    assert calls_made(of=1) == 0

    assert circuit_breaker.try_now("default")

    assert circuit_breaker.state("default").circuit == Circuit.HALF_OPEN
    assert calls_made(of=1) == 1
    assert circuit_breaker.state("default").circuit == Circuit.CLOSED


def test_a_try_by_hand_that_fails_opens_it_for_twice_as_long() -> None:
    fail()
    circuit_breaker.try_now("default")

    fail(1)

    state = circuit_breaker.state("default")
    assert (state.circuit, state.opened_at) == (Circuit.OPEN, START)
    assert state.open_until == START + timedelta(seconds=20)


def test_two_who_press_at_once_let_one_call_through(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    fail()

    assert [circuit_breaker.try_now("default"), circuit_breaker.try_now("default")] == [True, False]
    assert caplog.text.count("checks if XCover is up again (default)") == 1
    assert calls_made(of=1) == 1


@pytest.mark.parametrize("cache", [Away, Nonsense])
def test_without_a_cache_that_works_there_is_nothing_to_try(
    memory: shared_cache.Memory, cache: type[Any]
) -> None:
    broken = cache()
    memory.find = lambda: broken

    assert not circuit_breaker.try_now("default")
    assert [rate.paused_until for rate in _rates()] == [None, None]


def _rates() -> tuple[rate_limits.RateState, ...]:
    return rate_limits.states(get_config().account("default"))


def test_the_rates_are_told_with_the_pause_that_xcover_has_asked_for() -> None:
    throttled(7.0)

    assert [(rate.group, rate.rate) for rate in _rates()] == [("sales", 50.0), ("other", 20.0)]
    assert [rate.paused_until for rate in _rates()] == [START + timedelta(seconds=7), None]


def test_a_pause_that_is_over_is_not_told(clock: time_machine.Traveller) -> None:
    throttled(7.0)
    clock.shift(7)

    assert [rate.paused_until for rate in _rates()] == [None, None]


def test_to_look_counts_no_call(memory: shared_cache.Memory) -> None:
    _rates()
    circuit_breaker.state("default")

    assert not vars(memory.find())["_cache"]


def test_an_account_with_one_rate_for_all_has_one(shop: Shop, settings: Any) -> None:
    account = {**settings.XCOVER["ACCOUNTS"]["default"], "TOTAL_RATE": 5}
    settings.XCOVER = {**settings.XCOVER, "ACCOUNTS": {"default": account}}

    assert [(rate.group, rate.rate) for rate in _rates()] == [("total", 5.0)]


def test_it_is_known_whom_the_cache_serves(memory: shared_cache.Memory, tmp_path: Any) -> None:
    assert cache_scope() == CacheScope.PROCESS
    memory.find = lambda: DummyCache("", {})
    assert cache_scope() == CacheScope.NONE
    memory.find = lambda: FileBasedCache(str(tmp_path), {})
    assert cache_scope() == CacheScope.SHARED
    memory.find = Away
    assert cache_scope() == CacheScope.UNAVAILABLE
