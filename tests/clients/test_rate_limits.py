"""No more calls a second than XCover allows, whoever makes them."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from django.core.cache.backends import base, locmem
from django.core.cache.backends.locmem import LocMemCache
from django.utils import timezone

from django_xcover import worker
from django_xcover.client import HeldBack, Throttled, XCoverClient, connections, endpoints
from django_xcover.client.connections import Deadline
from django_xcover.client.endpoints import Endpoint
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker, factory, rate_limits
from django_xcover.conf import get_config
from django_xcover.models import OperationState
from django_xcover.offers import quoting
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.caches import Away
from tests.conftest import ReadCart, Shopper, the_operation
from tests.shop import Cart, Shop

QUOTE, READ = endpoints.CREATE_QUOTE, endpoints.GET_BOOKING
Pass = Callable[..., None]


class Clock:
    """The time, which only waiting moves."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.waits: list[float] = []

    def time(self) -> float:
        return self.now

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(rate_limits, "time", clock)
    monkeypatch.setattr(rate_limits, "random", random.Random(7))
    monkeypatch.setattr(connections, "time", clock)
    # The cache forgets by the same clock: names of counts are used again.
    monkeypatch.setattr(base, "time", clock)
    monkeypatch.setattr(locmem, "time", clock)
    return clock


@pytest.fixture(autouse=True)
def memory(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> shared_cache.Memory:
    """Return an empty cache for the counts."""
    cache = LocMemCache("rates", {})
    cache.clear()
    memory = shared_cache.Memory(lambda: cache)
    monkeypatch.setattr(shared_cache, "memory", memory)
    return memory


def rated(settings: Any, **rates: float) -> None:
    accounts = settings.XCOVER["ACCOUNTS"]
    account = {**accounts["default"], **rates}
    settings.XCOVER = {**settings.XCOVER, "ACCOUNTS": {**accounts, "default": account}}


def go(endpoint: Endpoint = QUOTE, *, seconds: float = 15.0, account: str = "default") -> None:
    """Make one call in the background; raise HeldBack when its turn does not come in time."""
    limiter = rate_limits.limiter_of(get_config().account(account))
    with limiter(endpoint, Deadline.after(seconds)):
        pass


def passed(endpoint: Endpoint = QUOTE, *, of: int = 100) -> int:
    """Return how many of so many shoppers' calls go through at once."""
    count = 0
    with rate_limits.at_once():
        for _ in range(of):
            with suppress(HeldBack):
                go(endpoint)
                count += 1
    return count


def test_a_shopper_is_held_back_at_once_when_the_second_is_full(clock: Clock) -> None:
    assert passed() == 50
    assert clock.waits == []


def test_work_in_the_background_waits_for_its_turn(clock: Clock) -> None:
    passed()

    go()

    assert 0 < clock.now - 1_000_000.0 < 1.5


def busiest_second(made: list[float]) -> int:
    """Return how many of the calls made at these times the fullest second has."""
    return max(sum(start <= at < start + 1 for at in made) for start in made)


@pytest.mark.parametrize("rate", [1, 2, 20, 50])
def test_no_second_has_more_calls_than_allowed(clock: Clock, settings: Any, rate: int) -> None:
    rated(settings, TOTAL_RATE=rate)
    made: list[float] = []
    for _ in range(rate * 20):
        go(seconds=600)
        made.append(clock.now)

    assert busiest_second(made) == rate
    # And hardly fewer: as many as twenty seconds may have.
    assert 19 < made[-1] - made[0] < 30


@pytest.mark.parametrize("begun", [0.0, 0.05, 0.09, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("rate", [2, 20])
def test_nor_has_it_whenever_they_begin(
    clock: Clock, settings: Any, rate: int, begun: float
) -> None:
    rated(settings, TOTAL_RATE=rate)
    clock.now += begun
    made: list[float] = []
    for _ in range(200):
        made += [clock.now] * passed(of=rate)
        clock.now += 0.013

    assert busiest_second(made) == rate


def test_a_second_filled_in_its_last_moment_leaves_no_room_in_the_next(clock: Clock) -> None:
    clock.now += 0.9
    assert passed() == 50

    clock.now += 0.99

    assert passed() == 0


def test_however_long_it_goes_on_the_counts_are_few_entries(
    clock: Clock, memory: shared_cache.Memory
) -> None:
    for _ in range(2000):
        passed(of=1)
        clock.now += 0.07

    assert len(vars(memory.find())["_cache"]) <= rate_limits.NAMES


def test_it_waits_a_third_of_its_time_and_no_longer(clock: Clock) -> None:
    bucket = rate_limits._bucket(get_config().account("default"), QUOTE)
    full = {bucket.key(str(name)): 10**6 for name in range(rate_limits.NAMES)}
    shared_cache.attempt(lambda cache: cache.set_many(full), [])

    with pytest.raises(HeldBack) as caught:
        go(seconds=15)

    assert 4.5 < sum(clock.waits) <= 5
    assert caught.value.retry_after is not None
    assert caught.value.outcome_known


def test_those_held_back_take_nobodys_turn(clock: Clock) -> None:
    passed(of=1000)

    clock.now += 2

    assert passed() == 50


def test_quotes_and_the_rest_are_counted_apart(clock: Clock) -> None:
    assert passed(QUOTE) == 50
    assert passed(READ) == 20
    assert passed(endpoints.CREATE_BOOKING) == 0
    assert passed(endpoints.OPT_OUT) == 0


def test_a_test_key_has_one_rate_for_everything(clock: Clock, settings: Any) -> None:
    rated(settings, TOTAL_RATE=2)

    assert passed(QUOTE) + passed(READ) == 2
    clock.now += 2
    assert passed(READ) == 2


def test_a_test_key_gets_its_two_calls_a_second(clock: Clock, settings: Any) -> None:
    rated(settings, TOTAL_RATE=2)
    for _ in range(40):
        go(READ, seconds=600)

    assert 15 < clock.now - 1_000_000.0 < 40


def test_accounts_with_the_same_key_share_its_rate(clock: Clock, settings: Any) -> None:
    accounts = settings.XCOVER["ACCOUNTS"]
    eu = {**accounts["default"], "PARTNER_CODE": "SHOPEU"}
    us = {**accounts["default"], "API_KEY": "another"}
    settings.XCOVER = {**settings.XCOVER, "ACCOUNTS": {**accounts, "eu": eu, "us": us}}
    passed()

    with rate_limits.at_once():
        with pytest.raises(HeldBack):
            go(account="eu")
        go(account="us")


@pytest.mark.parametrize("spelling", ["HTTP://127.0.0.1:9/x/", "http://127.0.0.1:9/xcover"])
def test_an_address_spelt_otherwise_is_no_other_xcover(
    clock: Clock, settings: Any, spelling: str
) -> None:
    accounts = settings.XCOVER["ACCOUNTS"]
    eu = {**accounts["default"], "BASE_URL": spelling}
    settings.XCOVER = {**settings.XCOVER, "ACCOUNTS": {**accounts, "eu": eu}}
    passed()

    with rate_limits.at_once(), pytest.raises(HeldBack):
        go(account="eu")


def test_threads_that_ask_at_the_same_moment_get_no_more_than_there_is(clock: Clock) -> None:
    together = threading.Barrier(8, timeout=5)
    counts: list[int] = []

    def shop() -> None:
        together.wait()
        counts.append(passed(of=20))

    threads = [threading.Thread(target=shop) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Fewer is possible: one that is about to give its place back still holds it.
    assert 40 <= sum(counts) <= 50


@pytest.mark.parametrize(("asked", "waited"), [(3.0, 3.0), (None, 1.0), (86400.0, 60.0)])
def test_after_a_429_everybody_pauses_as_long_as_xcover_asks(
    clock: Clock, asked: float | None, waited: float
) -> None:
    limiter = rate_limits.limiter_of(get_config().account("default"))
    with pytest.raises(Throttled), limiter(QUOTE, Deadline.after(15)):
        raise Throttled(status=429, retry_after=asked)

    assert passed() == 0
    assert passed(READ) == 20
    clock.now += waited - 0.1
    assert passed() == 0
    clock.now += 0.2
    assert passed() == 50


def test_without_a_cache_every_call_goes(clock: Clock, memory: shared_cache.Memory) -> None:
    away = Away()
    memory.find = lambda: away

    assert passed() == 100


def test_nothing_shows_the_key(shop: Shop) -> None:
    bucket = rate_limits._bucket(get_config().account("default"), QUOTE)

    assert "sandbox-key" not in repr(bucket) + bucket.key("paused")


# Who uses it


@pytest.fixture
def limited(sandbox: Sandbox, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client of the sandbox have the limiter that the gateway gives."""
    client: XCoverClient = factory.client_for("default")
    limiter = rate_limits.limiter_of(get_config().account("default"))
    monkeypatch.setattr(client._requestor, "_limiter", limiter)


def test_the_gateway_limits_every_client(shop: Shop, clock: Clock) -> None:
    factory._client.cache_clear()
    client = factory.client_for("default")
    passed()

    with rate_limits.at_once(), pytest.raises(HeldBack):
        client.create_quote({})


@pytest.mark.django_db
def test_without_a_turn_there_is_no_offer_and_no_wait(
    limited: None, sandbox: Sandbox, read: ReadCart, clock: Clock
) -> None:
    passed()

    assert quoting.fresh_offer(read(Cart())) is None
    assert sandbox.calls() == []
    assert clock.waits == []
    assert circuit_breaker.state("default").calls == 0

    clock.now += 2
    assert quoting.fresh_offer(read(Cart())) is not None


@pytest.mark.django_db
@pytest.mark.usefixtures("limited")
@pytest.mark.parametrize("status", [429, 503])
def test_an_operation_whose_repeat_gets_no_turn_has_failed(
    shopper: Shopper,
    shop: Shop,
    sandbox: Sandbox,
    status: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tenacity.nap.time.sleep", lambda seconds: None)
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "status", status=status, times=None)
    passed(of=48)

    with rate_limits.at_once():
        worker.run(the_operation().pk)

    assert the_operation().failures == 1
    assert the_operation().error["status"] == status


@pytest.mark.django_db
def test_an_operation_that_gets_no_turn_comes_back_and_has_not_failed(
    limited: None, shopper: Shopper, shop: Shop, sandbox: Sandbox, clock: Clock
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    calls = len(sandbox.calls())
    limiter = rate_limits.limiter_of(get_config().account("default"))
    with suppress(Throttled), limiter(endpoints.CREATE_BOOKING, Deadline.after(1)):
        raise Throttled(retry_after=60)

    for _ in range(7):
        worker.run(the_operation().pk)
        operation = the_operation()
        assert operation.state == OperationState.PENDING
        assert operation.next_attempt_at > timezone.now()
        type(operation).objects.update(next_attempt_at=timezone.now())

    assert operation.failures == 0
    assert operation.attempts == 0, "nothing was sent, however often it came back"
    assert operation.lease_until is None
    assert "create_booking" not in [call.operation for call in sandbox.calls()[calls:]]
    clock.now += 61
    worker.run(operation.pk)
    assert the_operation().state == OperationState.DONE


@pytest.mark.django_db
def test_one_held_back_in_doubt_stays_in_doubt(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    operation = operations.claim(the_operation().pk)
    assert operation is not None

    operations.postpone(operation, HeldBack(retry_after=5, outcome_known=False))

    assert not the_operation().outcome_known
