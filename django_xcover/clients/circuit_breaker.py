"""The circuit breaker of checkout: while XCover is down, no shopper waits for it.

There is one circuit per account, shared by all processes through Django's cache:

    CLOSED     calls are made and their results recorded
    OPEN       no call is made until the cool-down is over
    HALF_OPEN  exactly one call is made: it closes the circuit, or opens it for twice as long

A fault is a missing or unusable response: network, deadline, 5xx, not JSON. A missed deadline is
not a fault while XCover answers other calls, because XCover is then slow and not down. Any 4xx is
an answer, so it never opens the circuit, and it closes a half-open one. That includes 429: XCover
is up and only asks for fewer calls, which `rate_limits` takes care of.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import takewhile
from typing import Any

from django.core.cache.backends.base import BaseCache
from django.db import connections

from django_xcover import safe_logging, signals
from django_xcover.client import (
    ConnectionFailed,
    DeadlineExceeded,
    NoTimeLeft,
    RequestRefused,
    ServerFault,
    UnexpectedAnswer,
    XCoverError,
)
from django_xcover.clients import cache as shared_cache
from django_xcover.conf import get_config
from django_xcover.exceptions import CircuitOpen

# Seconds. Older calls say nothing about XCover's present state; even an open circuit lasts only
# minutes.
REMEMBERED = 600.0
# A large shop sees some faults in a row by chance, because many calls run at once. So faults in a
# row count only if no call has succeeded for this many seconds, which a small shop always meets.
NO_CHANCE = 5.0
# XCover also counts as down if at least SHARE of the calls of the last SAMPLED seconds failed,
# provided that there were SAMPLE calls or more.
SAMPLE, SAMPLED, SHARE = 20, 60.0, 0.5

Call = tuple[float, bool]


@dataclass(frozen=True, slots=True)
class RecentCalls:
    """The recent calls of an account, oldest first: when each ended and whether XCover answered."""

    calls: tuple[Call, ...] = ()

    @classmethod
    def read(cls, value: Any) -> RecentCalls:
        """Return the calls in a cached value. Raise TypeError or ValueError if it is unreadable."""
        return cls(tuple((float(at), bool(well)) for at, well in value or ()))

    @property
    def faults(self) -> int:
        """Return the number of calls without a usable response."""
        return sum(not well for _, well in self.calls)

    def plus(self, now: float, well: bool) -> RecentCalls:
        """Return these calls plus one, without the calls that are too old or too many."""
        recent = [call for call in self.calls if now - call[0] < REMEMBERED]
        most = max(SAMPLE, get_config().breaker_faults)
        return RecentCalls((*recent, (now, well))[-most:])

    def are_too_bad(self, now: float) -> bool:
        """Return whether the faults should open the circuit."""
        return self._fail_in_a_row(now) or self._fail_half_the_time(now)

    def _fail_in_a_row(self, now: float) -> bool:
        in_a_row = sum(1 for _ in takewhile(lambda call: not call[1], reversed(self.calls)))
        # A call in the future was made before the clock was set back.
        by_chance = any(well and 0 <= now - at < NO_CHANCE for at, well in self.calls)
        return in_a_row >= get_config().breaker_faults and not by_chance

    def _fail_half_the_time(self, now: float) -> bool:
        sample = [well for at, well in self.calls if now - at < SAMPLED]
        return len(sample) >= SAMPLE and sample.count(False) >= len(sample) * SHARE


logger = safe_logging.get_logger("django_xcover.clients")

FAULTS = (ConnectionFailed, DeadlineExceeded, ServerFault, UnexpectedAnswer)
# Seconds, one day. Even after hours without shoppers the next call is a probe and its success is
# reported.
KEPT = 86400
# Seconds after which a probe counts as dead, well above any deadline.
PROBE_LEASE = 30


class Circuit(StrEnum):
    """The state of a circuit. UNKNOWN means that the cache is unavailable; calls are made."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """The shared state of an account's circuit. Times are aware UTC.

    `faults` out of `calls` recent calls failed, which shows how close a closed circuit is to
    opening.
    """

    account: str
    circuit: Circuit
    calls: int = 0
    faults: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """The data of a circuit that is not closed.

    `opened_at` and `until` are seconds since 1970, `cool_down` is a number of seconds.
    """

    opened_at: float
    until: float
    cool_down: float

    def holds(self, now: float) -> bool:
        """Return whether calls are blocked at `now`.

        If more than the longest cool-down seems to be left, the clock was set back meanwhile.
        """
        return 0 < self.until - now <= get_config().breaker_cool_down_limit

    def again(self, now: float) -> Trip:
        """Return the trip after a failed probe, with twice the cool-down, up to the limit."""
        longer = min(self.cool_down * 2, get_config().breaker_cool_down_limit)
        return Trip(self.opened_at, now + longer, longer)


@contextmanager
def guard(account: str, *, patience: float | None = None) -> Iterator[None]:
    """Allow the calls to XCover inside the block, or raise CircuitOpen immediately.

    An XCoverError that leaves the block is recorded as the result. If the block takes longer than
    `patience` seconds, a fault is recorded at that moment, and withdrawn if an answer still comes.
    """
    call = _Call(account, _admit(account))
    timer = threading.Timer(patience or 0.0, call.wait_is_over)
    timer.daemon = True
    if patience is not None:
        timer.start()
    well: bool | None = None
    try:
        yield
        well = True
    except XCoverError as error:
        well = _is_well(error)
        if isinstance(error, DeadlineExceeded) and call.others_are_answered():
            well = None
        raise
    finally:
        timer.cancel()
        call.end(well)


def is_open(account: str) -> bool:
    """Return whether the cool-down is not over, so that `guard` would raise CircuitOpen."""
    trip = shared_cache.attempt(lambda cache: _trip(cache, account), None)
    return trip is not None and trip.holds(time.time())


class _Call:
    """One guarded call and its result so far."""

    def __init__(self, account: str, probing: Trip | None) -> None:
        self.account, self.probing = account, probing
        self.began = time.time()
        self.is_over = False
        self.fault_at: float | None = None
        self.lock = threading.Lock()

    def wait_is_over(self) -> None:
        """Record a fault before the call has ended, unless XCover answers other calls."""
        try:
            with self.lock:
                if not self.is_over and not self.others_are_answered():
                    self.fault_at = time.time()
                    _record(self.account, self.probing, False, at=self.fault_at)
        finally:
            # Receivers of our signals may have opened connections in this thread.
            connections.close_all()

    def others_are_answered(self) -> bool:
        """Return whether XCover has answered any call since this one began."""
        recent = shared_cache.attempt(lambda cache: _recent(cache, self.account), RecentCalls())
        return any(well and at >= self.began for at, well in recent.calls)

    def end(self, well: bool | None) -> None:
        """Record how the call ended, or withdraw the fault recorded too early."""
        with self.lock:
            self.is_over = True
            if self.fault_at is None:
                _record(self.account, self.probing, well)
            elif well:
                _withdraw_fault(self.account, self.fault_at)


def state(account: str) -> BreakerState:
    """Return the state of the circuit of `account`. Never raises and makes no call."""
    unknown = BreakerState(account=account, circuit=Circuit.UNKNOWN)
    return shared_cache.attempt(lambda cache: _state(cache, account), unknown)


def try_now(account: str) -> bool:
    """End the cool-down, so that the next call is the probe. Return False unless it is open.

    The circuit is not closed directly: if XCover is still down, only one call has to find out.
    """
    done = shared_cache.attempt(lambda cache: _end_cool_down(cache, account), otherwise=False)
    if done:
        logger.warning("The next call at checkout checks if XCover is up again (%s).", account)
    return done


def _is_well(error: XCoverError) -> bool | None:
    """Return whether XCover answered, or None if it was not called."""
    if isinstance(error, RequestRefused) or 400 <= (error.status or 0) < 500:
        return True  # even if the body cannot be read
    if isinstance(error, NoTimeLeft):
        return None  # the shop itself used up the time
    return False if isinstance(error, FAULTS) else None


def _admit(account: str) -> Trip | None:
    """Return None for a closed circuit, or the trip that this call probes. Raise CircuitOpen."""
    now = time.time()
    trip = shared_cache.attempt(lambda cache: _trip(cache, account), None)
    if trip is None:
        return None
    if trip.holds(now):
        raise CircuitOpen
    probe = _probe_key(account, trip)
    # Only one process gets True, except with Django's file cache, whose `add` is not atomic. There
    # two probes may run, which does no harm.
    if not shared_cache.attempt(lambda cache: cache.add(probe, 1, PROBE_LEASE), otherwise=True):
        raise CircuitOpen
    return trip


def _record(
    account: str, probing: Trip | None, well: bool | None, *, at: float | None = None
) -> None:
    if probing is None:
        if well is not None:
            _remember(account, well, time.time() if at is None else at)
    elif well is None:
        # XCover was not called, so the next call may be the probe.
        probe = _probe_key(account, probing)
        shared_cache.attempt(lambda cache: cache.delete(probe), otherwise=False)
    elif well:
        _close(account, probing)
    else:
        _open_again(account, probing)


def _withdraw_fault(account: str, fault_at: float) -> None:
    """Withdraw the fault of a call whose answer came late. Close the circuit if it is open."""
    trip = shared_cache.attempt(lambda cache: _trip(cache, account), None)
    if trip is not None:
        _close(account, trip)
        return
    recent = shared_cache.attempt(lambda cache: _recent(cache, account), RecentCalls())
    calls = tuple(call for call in recent.calls if call != (fault_at, False))
    calls = RecentCalls(calls).plus(time.time(), well=True).calls
    shared_cache.attempt(lambda cache: cache.set(_recent_key(account), calls, KEPT), None)


def _remember(account: str, well: bool, now: float) -> None:
    """Record how a call ended, and open the circuit after too many faults."""
    # Read and written without a lock. Of two concurrent writes one is lost, which can delay the
    # opening by one call but never opens the circuit.
    recent = shared_cache.attempt(lambda cache: _recent(cache, account), RecentCalls())
    recent = recent.plus(now, well)
    name = _recent_key(account)
    shared_cache.attempt(lambda cache: cache.set(name, recent.calls, KEPT), None)
    if not well and recent.are_too_bad(now):
        _open(account, now)


def _open(account: str, now: float) -> None:
    cool_down = min(get_config().breaker_cool_down, get_config().breaker_cool_down_limit)
    trip = Trip(now, now + cool_down, cool_down)
    # Plain values, because objects pickled by another version of this code may not be readable.
    values = (trip.opened_at, trip.until, trip.cool_down)
    name = _trip_key(account)
    if shared_cache.attempt(lambda cache: cache.add(name, values, KEPT), otherwise=False):
        logger.error("No calls at checkout for %.0f s: XCover is failing (%s).", cool_down, account)
        signals.circuit_opened.send_robust(
            sender=BreakerState, account=account, until=_moment(trip.until)
        )


def _open_again(account: str, probed: Trip) -> None:
    trip = probed.again(time.time())
    values = (trip.opened_at, trip.until, trip.cool_down)
    shared_cache.attempt(lambda cache: cache.set(_trip_key(account), values, KEPT), None)
    logger.warning("No calls at checkout for another %.0f s (%s).", trip.cool_down, account)


def _close(account: str, trip: Trip) -> None:
    now = time.time()
    # The probe is the first recorded call, because earlier calls may still end with faults.
    calls = RecentCalls().plus(now, well=True).calls
    shared_cache.attempt(lambda cache: cache.set(_recent_key(account), calls, KEPT), None)
    names = [_trip_key(account), _probe_key(account, trip)]
    shared_cache.attempt(lambda cache: cache.delete_many(names), None)
    down = now - trip.opened_at
    logger.info("Calls at checkout resumed after %.0f s (%s).", down, account)
    signals.circuit_closed.send_robust(
        sender=BreakerState, account=account, opened_at=_moment(trip.opened_at)
    )


def _state(cache: BaseCache, account: str) -> BreakerState:
    trip, recent = _trip(cache, account), _recent(cache, account)
    if trip is None:
        return BreakerState(
            account=account, circuit=Circuit.CLOSED, calls=len(recent.calls), faults=recent.faults
        )
    return BreakerState(
        account=account,
        circuit=Circuit.OPEN if trip.holds(time.time()) else Circuit.HALF_OPEN,
        opened_at=_moment(trip.opened_at),
        open_until=_moment(trip.until),
    )


def _end_cool_down(cache: BaseCache, account: str) -> bool:
    now, trip = time.time(), _trip(cache, account)
    if trip is None or trip.until <= now:
        return False
    cache.set(_trip_key(account), (trip.opened_at, now, trip.cool_down), KEPT)
    return True


def _trip(cache: BaseCache, account: str) -> Trip | None:
    values = cache.get(_trip_key(account))
    return None if values is None else Trip(*map(float, values))


def _recent(cache: BaseCache, account: str) -> RecentCalls:
    return RecentCalls.read(cache.get(_recent_key(account)))


def _trip_key(account: str) -> str:
    return shared_cache.key("circuit", account)


def _recent_key(account: str) -> str:
    return shared_cache.key("calls", account)


def _probe_key(account: str, trip: Trip) -> str:
    return shared_cache.key("probe", account, repr(trip.until))


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
