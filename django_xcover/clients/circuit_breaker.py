"""The circuit breaker of checkout: while XCover is down, no shopper waits to hear that it is.

One circuit an account, known to all processes through Django's cache:

    CLOSED     calls are made, and how they end is remembered
    OPEN       no call is made, until the cool-down is over
    HALF_OPEN  exactly one call is let through: it closes the circuit, or opens it for twice as long

A fault is an answer that did not come or cannot be used: network, deadline, 5xx, no JSON. Our own
deadline is none while XCover answers others: it is slow then, and not down. Any 4xx
is an answer, so it never opens the circuit and closes a half-open one. That holds for 429, too:
XCover is well and counting, and what it asks for is fewer calls, which `rate_limits` sees to.
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

# Seconds. Older calls say nothing of XCover now: an open circuit itself lasts minutes at most.
REMEMBERED = 600.0
# A large shop has faults in a row by chance, between many calls that succeed. So faults in a row
# count only when nothing has succeeded for so many seconds, which is always so in a small shop.
NO_CHANCE = 5.0
# A vendor that fails half of the time is not there: at least so many calls in a minute tell.
SAMPLE, SAMPLED, SHARE = 20, 60.0, 0.5

Call = tuple[float, bool]


@dataclass(frozen=True, slots=True)
class RecentCalls:
    """The calls of an account, oldest first: when they ended, and whether XCover answered."""

    calls: tuple[Call, ...] = ()

    @classmethod
    def read(cls, value: Any) -> RecentCalls:
        """Return what a cache has kept; TypeError or ValueError for anything else."""
        return cls(tuple((float(at), bool(well)) for at, well in value or ()))

    @property
    def faults(self) -> int:
        """Return how many got no usable answer."""
        return sum(not well for _, well in self.calls)

    def plus(self, now: float, well: bool) -> RecentCalls:
        """Return these calls and one more, without those that are too old or too many."""
        kept = [call for call in self.calls if now - call[0] < REMEMBERED]
        most = max(SAMPLE, get_config().breaker_faults)
        return RecentCalls((*kept, (now, well))[-most:])

    def are_too_bad(self, now: float) -> bool:
        """Return whether XCover is to be left alone."""
        return self._fail_in_a_row(now) or self._fail_half_the_time(now)

    def _fail_in_a_row(self, now: float) -> bool:
        in_a_row = sum(1 for _ in takewhile(lambda call: not call[1], reversed(self.calls)))
        # One of the future was made before the clock was set back.
        by_chance = any(well and 0 <= now - at < NO_CHANCE for at, well in self.calls)
        return in_a_row >= get_config().breaker_faults and not by_chance

    def _fail_half_the_time(self, now: float) -> bool:
        sample = [well for at, well in self.calls if now - at < SAMPLED]
        return len(sample) >= SAMPLE and sample.count(False) >= len(sample) * SHARE


logger = safe_logging.get_logger("django_xcover.clients")

FAULTS = (ConnectionFailed, DeadlineExceeded, ServerFault, UnexpectedAnswer)
# A day: however long nobody buys, the next call is a probe, and its success is told.
KEPT = 86400
# Seconds after which a probe counts as dead: far above what a deadline allows it.
PROBE_LEASE = 30


class Circuit(StrEnum):
    """Whether calls are made. UNKNOWN means that the cache is away: they are."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerState:
    """The circuit of an account, as all processes know it. Times are aware UTC.

    `faults` among the remembered `calls` say how near to opening a closed circuit is.
    """

    account: str
    circuit: Circuit
    calls: int = 0
    faults: int = 0
    opened_at: datetime | None = None
    open_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Trip:
    """What is known while the circuit is not closed, in seconds since 1970 and in seconds."""

    opened_at: float
    until: float
    cool_down: float

    def holds(self, now: float) -> bool:
        """Return whether no call is to be made at `now`.

        More than the longest cool-down cannot be left: then the clock was set back since.
        """
        return 0 < self.until - now <= get_config().breaker_cool_down_limit

    def again(self, now: float) -> Trip:
        """Return the trip after a probe that failed: twice the cool-down, up to the limit."""
        longer = min(self.cool_down * 2, get_config().breaker_cool_down_limit)
        return Trip(self.opened_at, now + longer, longer)


@contextmanager
def guard(account: str, *, patience: float | None = None) -> Iterator[None]:
    """Let the calls to XCover inside the block go ahead, or raise CircuitOpen at once.

    An XCoverError that leaves the block says how they went. A block that is not left within
    `patience` seconds is a fault at that moment, and forgiven when an answer comes after all.
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
    """Return whether `guard` would raise without asking: the cool-down is not over."""
    trip = shared_cache.attempt(lambda cache: _trip(cache, account), None)
    return trip is not None and trip.holds(time.time())


class _Call:
    """One call, and what has been learned of it so far."""

    def __init__(self, account: str, probing: Trip | None) -> None:
        self.account, self.probing = account, probing
        self.began = time.time()
        self.is_over = False
        self.fault_at: float | None = None
        self.lock = threading.Lock()

    def wait_is_over(self) -> None:
        """Count a fault before the call has ended, unless XCover answers others."""
        try:
            with self.lock:
                if not self.is_over and not self.others_are_answered():
                    self.fault_at = time.time()
                    _learn(self.account, self.probing, False, at=self.fault_at)
        finally:
            connections.close_all()  # of this thread: receivers of our signals may have used some

    def others_are_answered(self) -> bool:
        """Return whether an answer of any call came since this one began."""
        recent = shared_cache.attempt(lambda cache: _recent(cache, self.account), RecentCalls())
        return any(well and at >= self.began for at, well in recent.calls)

    def end(self, well: bool | None) -> None:
        """Learn how the call ended, if that is not known yet."""
        with self.lock:
            self.is_over = True
            if self.fault_at is None:
                _learn(self.account, self.probing, well)
            elif well:
                _forgive(self.account, self.fault_at)


def state(account: str) -> BreakerState:
    """Return how the circuit of `account` stands. Never raises, calls nobody."""
    unknown = BreakerState(account=account, circuit=Circuit.UNKNOWN)
    return shared_cache.attempt(lambda cache: _state(cache, account), unknown)


def try_now(account: str) -> bool:
    """Let the next call be the probe, cool-down or not; False when the circuit is not open.

    Not closed by hand: should XCover still be down, one call finds out and not all of them.
    """
    done = shared_cache.attempt(lambda cache: _end_cool_down(cache, account), otherwise=False)
    if done:
        logger.warning("The next call at checkout tries whether XCover is back (%s).", account)
    return done


def _is_well(error: XCoverError) -> bool | None:
    """Return whether XCover answered; None when it was not asked."""
    if isinstance(error, RequestRefused) or 400 <= (error.status or 0) < 500:
        return True  # also where its body cannot be read
    if isinstance(error, NoTimeLeft):
        return None  # the shop itself had used up the time
    return False if isinstance(error, FAULTS) else None


def _admit(account: str) -> Trip | None:
    """Return None for a closed circuit, the trip that this call has to probe, or raise."""
    now = time.time()
    trip = shared_cache.attempt(lambda cache: _trip(cache, account), None)
    if trip is None:
        return None
    if trip.holds(now):
        raise CircuitOpen
    probe = _probe_key(account, trip)
    # Of all processes one gets True, but for Django's file cache, whose `add` is not atomic: there
    # two probes may be made, which does no harm.
    if not shared_cache.attempt(lambda cache: cache.add(probe, 1, PROBE_LEASE), otherwise=True):
        raise CircuitOpen
    return trip


def _learn(
    account: str, probing: Trip | None, well: bool | None, *, at: float | None = None
) -> None:
    if probing is None:
        if well is not None:
            _remember(account, well, time.time() if at is None else at)
    elif well is None:
        # Nobody was asked, so the next one may.
        probe = _probe_key(account, probing)
        shared_cache.attempt(lambda cache: cache.delete(probe), otherwise=False)
    elif well:
        _close(account, probing)
    else:
        _open_again(account, probing)


def _forgive(account: str, fault_at: float) -> None:
    """Take back the fault of a call whose answer came late; close a circuit that is open."""
    trip = shared_cache.attempt(lambda cache: _trip(cache, account), None)
    if trip is not None:
        _close(account, trip)
        return
    recent = shared_cache.attempt(lambda cache: _recent(cache, account), RecentCalls())
    calls = tuple(call for call in recent.calls if call != (fault_at, False))
    kept = RecentCalls(calls).plus(time.time(), well=True).calls
    shared_cache.attempt(lambda cache: cache.set(_recent_key(account), kept, KEPT), None)


def _remember(account: str, well: bool, now: float) -> None:
    """Note how a call ended, and open the circuit when it is one fault too many."""
    # Read and written without a lock. Two at once lose one of theirs, which delays the opening by
    # a call and never opens anything.
    recent = shared_cache.attempt(lambda cache: _recent(cache, account), RecentCalls())
    recent = recent.plus(now, well)
    name = _recent_key(account)
    shared_cache.attempt(lambda cache: cache.set(name, recent.calls, KEPT), None)
    if not well and recent.are_too_bad(now):
        _open(account, now)


def _open(account: str, now: float) -> None:
    cool_down = min(get_config().breaker_cool_down, get_config().breaker_cool_down_limit)
    trip = Trip(now, now + cool_down, cool_down)
    if shared_cache.attempt(lambda cache: _add_trip(cache, account, trip), otherwise=False):
        logger.error("No calls at checkout for %.0f s: XCover fails (%s).", cool_down, account)
        signals.circuit_opened.send_robust(
            sender=BreakerState, account=account, until=_moment(trip.until)
        )


def _open_again(account: str, probed: Trip) -> None:
    trip = probed.again(time.time())
    facts = (trip.opened_at, trip.until, trip.cool_down)
    shared_cache.attempt(lambda cache: cache.set(_trip_key(account), facts, KEPT), None)
    logger.warning("No calls at checkout for another %.0f s (%s).", trip.cool_down, account)


def _close(account: str, trip: Trip) -> None:
    now = time.time()
    # With the probe as the first call: faults of calls that began before are still to come.
    calls = RecentCalls().plus(now, well=True).calls
    shared_cache.attempt(lambda cache: cache.set(_recent_key(account), calls, KEPT), None)
    names = [_trip_key(account), _probe_key(account, trip)]
    shared_cache.attempt(lambda cache: cache.delete_many(names), None)
    down = now - trip.opened_at
    logger.info("Calls at checkout again after %.0f s (%s).", down, account)
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
    facts = cache.get(_trip_key(account))
    return None if facts is None else Trip(*map(float, facts))


def _add_trip(cache: BaseCache, account: str, trip: Trip) -> bool:
    # Plain values: what another version of this code has pickled could not be read.
    facts = (trip.opened_at, trip.until, trip.cool_down)
    return bool(cache.add(_trip_key(account), facts, KEPT))


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
