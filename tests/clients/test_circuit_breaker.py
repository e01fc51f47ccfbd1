"""The circuit breaker: a dead XCover costs a few shoppers a second, and the rest nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
import time_machine
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache

from django_xcover import signals
from django_xcover.booking import instant_booking
from django_xcover.client import (
    ConfigurationError,
    ConnectionFailed,
    DeadlineExceeded,
    HeldBack,
    NoTimeLeft,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
    ValidationFailed,
    XCoverError,
)
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker, factory
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.exceptions import CircuitOpen
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from tests.caches import Away, Nonsense
from tests.conftest import START, ReadCart, Shopper
from tests.shop import Adapter, Cart, laptop

pytestmark = pytest.mark.usefixtures("memory")
UNTOUCHED = circuit_breaker.BreakerState(account="default", circuit=Circuit.CLOSED)
Heard = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Return what was told about circuits."""
    told: Heard = []

    def opened(sender: type, signal: Any, **facts: Any) -> None:
        told.append(("opened", facts))

    def closed(sender: type, signal: Any, **facts: Any) -> None:
        told.append(("closed", facts))

    signals.circuit_opened.connect(opened)
    signals.circuit_closed.connect(closed)
    yield told
    signals.circuit_opened.disconnect(opened)
    signals.circuit_closed.disconnect(closed)


def end(error: BaseException | None) -> None:
    """End as a call ends."""
    if error is not None:
        raise error


def call(error: BaseException | None = None, *, account: str = "default") -> bool:
    """Make a call that ends so; return whether it was made."""
    expected = () if error is None else (type(error),)
    try:
        with suppress(*expected), circuit_breaker.guard(account):
            end(error)
    except CircuitOpen:
        return False
    return True


def fail(times: int = 3) -> None:
    """Let calls fail, by default as often as opens the circuit."""
    for _ in range(times):
        assert call(ServerFault(status=503))


def circuit(account: str = "default") -> Circuit:
    return circuit_breaker.state(account).circuit


# What a fault is


@pytest.mark.parametrize(
    "fault",
    [ConnectionFailed("x"), DeadlineExceeded("x"), ServerFault(status=500), UnexpectedAnswer("x")],
    ids=lambda fault: type(fault).__name__,
)
def test_three_faults_open_the_circuit(fault: XCoverError) -> None:
    call(fault)
    call(fault)
    assert circuit() == Circuit.CLOSED

    call(fault)

    assert circuit() == Circuit.OPEN
    assert not call()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 423, 429])
def test_no_4xx_ever_opens_it(sandbox: Sandbox, status: int) -> None:
    sandbox.faults.add("create_quote", "status", times=None, status=status)
    client = factory.client_for("default")

    for _ in range(30):
        with pytest.raises(XCoverError) as refused, circuit_breaker.guard("default"):
            client.create_quote({})
        assert refused.value.status == status

    assert circuit_breaker.state("default").faults == 0


@pytest.mark.parametrize(
    "error",
    [HeldBack("full"), NoTimeLeft("x"), ConfigurationError("x"), KeyError("bug")],
    ids=repr,
)
def test_what_was_never_asked_says_nothing_about_xcover(error: Exception) -> None:
    for _ in range(5):
        call(error)

    assert circuit_breaker.state("default") == UNTOUCHED


@pytest.mark.django_db
def test_time_that_the_shop_itself_has_used_up_is_no_fault_of_xcovers(
    sandbox: Sandbox, read: ReadCart, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": 1e-9}

    for number in range(3):
        assert quoting.fresh_offer(read(Cart(reference=f"cart-{number}"))) is None

    assert sandbox.calls() == []
    assert circuit_breaker.state("default") == UNTOUCHED


def test_one_account_does_not_suffer_for_another() -> None:
    fail()

    assert call(account="eu")
    assert circuit("eu") == Circuit.CLOSED


# Open


@pytest.mark.django_db
def test_while_it_is_open_nobody_is_asked_and_the_page_goes_on(
    sandbox: Sandbox, read: ReadCart, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add("create_quote", "status", times=None, status=503)
    for _ in range(3):
        quoting.fresh_offer(read(Cart()))
    calls = len(sandbox.calls())
    caplog.clear()

    offers = [quoting.fresh_offer(read(Cart(reference=f"cart-{n}"))) for n in range(10)]
    price = instant_booking.price(Adapter().get_quote_request(Cart()))  # type: ignore[arg-type]

    assert offers == [None] * 10
    assert price is None
    assert len(sandbox.calls()) == calls == 3
    assert caplog.records == []


@pytest.mark.django_db
def test_while_it_is_open_an_offer_costs_two_queries_and_two_reads_of_the_cache(
    sandbox: Sandbox,
    read: ReadCart,
    django_assert_num_queries: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail()
    counted = mock.Mock(wraps=shared_cache.attempt)
    monkeypatch.setattr(shared_cache, "attempt", counted)

    # The stored offer, and what an earlier offer has lost.
    with django_assert_num_queries(2):
        assert quoting.fresh_offer(read(Cart())) is None

    assert counted.call_count == 2


@pytest.mark.django_db
def test_a_stored_offer_is_shown_all_the_same(shopper: Shopper, sandbox: Sandbox) -> None:
    offer = shopper.sees()
    fail_after_a_success()

    assert circuit() == Circuit.OPEN
    assert shopper.sees() == offer


def fail_after_a_success() -> None:
    with time_machine.travel(START.timestamp() + 6, tick=False):
        fail()


def test_opening_is_told_once_with_the_account(
    heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    fail()
    call()
    call()

    until = datetime(2026, 3, 2, 10, 0, 10, tzinfo=UTC)
    assert heard == [("opened", {"account": "default", "until": until})]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "10 s: XCover is failing (default)" in caplog.text


def test_calls_that_began_before_it_opened_open_nothing_twice(heard: Heard) -> None:
    with suppress(ServerFault), circuit_breaker.guard("default"):
        fail()
        end(ServerFault())

    assert [name for name, _ in heard] == ["opened"]


# Half open


def test_after_the_cool_down_exactly_one_call_is_let_through(
    clock: time_machine.Traveller,
) -> None:
    fail()
    clock.shift(9.9)
    assert not call()
    clock.shift(0.2)
    assert circuit() == Circuit.HALF_OPEN

    with circuit_breaker.guard("default"):
        assert not call()
        assert not call()

    assert call()


def test_of_two_processes_that_race_for_the_probe_one_wins(
    clock: time_machine.Traveller, memory: shared_cache.Memory
) -> None:
    both = threading.Barrier(2, timeout=5)

    class Racing(LocMemCache):
        def add(self, key: Any, *args: Any, **kwargs: Any) -> bool:
            if ":probe:" in key:
                both.wait()  # both have seen that a probe is due
            return super().add(key, *args, **kwargs)

    cache = Racing("breaker", {})
    memory.find = lambda: cache
    fail()
    clock.shift(11)
    admitted: list[bool] = []
    asked = threading.Barrier(2, timeout=5)

    def probe() -> None:
        try:
            with circuit_breaker.guard("default"):
                admitted.append(True)
                asked.wait()
        except CircuitOpen:
            admitted.append(False)
            asked.wait()

    threads = [threading.Thread(target=probe) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(admitted) == [False, True]


def test_a_probe_that_succeeds_closes_it(
    clock: time_machine.Traveller, heard: Heard, caplog: pytest.LogCaptureFixture
) -> None:
    fail()
    clock.shift(11)
    caplog.set_level(logging.INFO)

    assert call()

    assert circuit() == Circuit.CLOSED
    assert heard[1:] == [("closed", {"account": "default", "opened_at": START})]
    assert "resumed after 11 s (default)" in caplog.text


@pytest.mark.parametrize("answer", [ValidationFailed(status=422), Throttled(status=429)])
def test_a_probe_that_is_refused_closes_it_too(
    clock: time_machine.Traveller, answer: XCoverError
) -> None:
    fail()
    clock.shift(11)

    call(answer)

    assert circuit() == Circuit.CLOSED


def test_a_probe_that_fails_waits_twice_as_long_up_to_the_limit(
    clock: time_machine.Traveller, heard: Heard
) -> None:
    fail()
    waits = []
    for _ in range(6):
        until = circuit_breaker.state("default").open_until
        assert until is not None
        waits.append((until - datetime.now(UTC)).total_seconds())
        clock.move_to(until)
        fail(1)
        assert not call()

    assert waits == [10, 20, 40, 80, 120, 120]
    assert [name for name, _ in heard] == ["opened"]
    assert circuit_breaker.state("default").opened_at == START


def test_after_a_night_without_xcover_the_wait_is_still_two_minutes(
    clock: time_machine.Traveller,
) -> None:
    fail()
    for _ in range(2000):
        clock.shift(121)
        fail(1)

    assert not call()
    clock.shift(121)
    assert call()


def test_once_closed_it_bears_as_much_as_before(clock: time_machine.Traveller) -> None:
    fail()
    clock.shift(11)
    call()
    clock.shift(6)

    fail(2)
    assert circuit() == Circuit.CLOSED
    fail(1)

    until = circuit_breaker.state("default").open_until
    assert until is not None
    assert (until - datetime.now(UTC)).total_seconds() == 10


@pytest.mark.parametrize("error", [HeldBack("full"), SystemExit()], ids=repr)
def test_a_probe_that_asked_nobody_leaves_it_to_the_next(
    clock: time_machine.Traveller, error: BaseException
) -> None:
    fail()
    clock.shift(11)
    assert call(error)
    assert circuit() == Circuit.HALF_OPEN

    assert call()

    assert circuit() == Circuit.CLOSED


def test_a_probe_whose_process_died_is_given_up(clock: time_machine.Traveller) -> None:
    fail()
    clock.shift(11)
    circuit_breaker._admit("default")  # and never heard of again
    clock.shift(29)
    assert not call()

    clock.shift(2)

    assert call()
    assert circuit() == Circuit.CLOSED


@pytest.mark.django_db
def test_the_offer_is_back_with_the_first_answer(
    sandbox: Sandbox, read: ReadCart, clock: time_machine.Traveller
) -> None:
    sandbox.faults.add("create_quote", "status", times=3, status=503)
    for _ in range(4):
        assert quoting.fresh_offer(read(Cart())) is None
    clock.shift(11)

    assert quoting.fresh_offer(read(Cart())) is not None
    assert quoting.fresh_offer(read(Cart(reference="other", items=(laptop(),)))) is not None


# The cache


@pytest.mark.parametrize("cache", [Away(), Nonsense()], ids=["away", "nonsense"])
@pytest.mark.django_db
def test_without_a_cache_that_works_every_call_is_made(
    sandbox: Sandbox, read: ReadCart, cache: BaseCache
) -> None:
    shared_cache.memory.find = lambda: cache
    sandbox.faults.add("create_quote", "status", times=5, status=503)

    offers = [quoting.fresh_offer(read(Cart())) for _ in range(6)]

    assert offers[:5] == [None] * 5
    assert offers[5] is not None
    assert circuit() == Circuit.UNKNOWN


def test_a_cache_that_breaks_while_the_circuit_is_open_lets_calls_through(
    memory: shared_cache.Memory,
) -> None:
    fail()
    away = Away()
    memory.find = lambda: away

    assert call()
    assert call(ServerFault())


def test_a_receiver_that_raises_reaches_no_page() -> None:
    def broken(**kwargs: Any) -> None:
        raise RuntimeError

    signals.circuit_opened.connect(broken)
    try:
        fail()
    finally:
        signals.circuit_opened.disconnect(broken)

    assert circuit() == Circuit.OPEN


def test_the_state_says_how_near_to_opening_it_is() -> None:
    call()
    fail(2)

    state = circuit_breaker.state("default")

    assert (state.calls, state.faults) == (3, 2)
    assert state.opened_at is None
