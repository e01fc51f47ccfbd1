"""Rate limits below XCover's, counted across all processes in Django's cache.

Background work waits for its turn. A shopper does not (`at_once`).

The limit applies to an API key (Quotes API: rate limits), which several accounts may share. XCover
counts over the last second and not per clock second (its 429 is Django REST framework's). So calls
are counted per tenth of a second. The current tenth and the ten before it contain every second that
ends now, and together have no more calls than the rate.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.cache.backends.base import BaseCache

from django_xcover import safe_logging
from django_xcover.client import HeldBack, Throttled
from django_xcover.client.connections import Deadline
from django_xcover.client.endpoints import Endpoint, Group
from django_xcover.client.requestor import Limiter
from django_xcover.clients import cache as shared_cache
from django_xcover.conf import Account, get_config

logger = safe_logging.get_logger("django_xcover.clients")

# The part of its deadline that a call may wait. Of a booking's 15 s this leaves the 10 s that
# XCover recommends.
WAITING = 1 / 3
# Seconds to pause after a 429 that names no wait (recorded ones named this), and the longest pause.
PAUSE, LONGEST_PAUSE = 1.0, 60.0
# Seconds for which a 429 is remembered. If XCover throttles for hours, that is logged once, and
# health reports it between two pauses, too.
REMEMBERED = 600
TENTHS = 10  # of a second
# Seconds to keep a count. Two would do, but database and Memcached may drop it a second early.
COUNTED = 3
# Counts reuse this many keys in turn. A new key for each tenth would fill a cache of 300 entries
# (Django's default) and evict the shop's own. 40 tenths are longer than COUNTED, so an old count
# has expired before its key is used again.
NAMES = 40

_in_a_hurry: ContextVar[bool] = ContextVar("xcover_in_a_hurry", default=False)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls that are counted together, and their rate in calls per second."""

    name: str
    rate: float

    def key(self, what: str) -> str:
        """Return the cache key for the value `what` of this bucket."""
        return shared_cache.key("rate", self.name, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateState:
    """A rate in calls per second, of the `group` "sales", "other" or "total" (all calls).

    `paused_until` is the end of a pause that XCover asked for, None without one. `throttled_at` is
    when XCover last refused a call because of the rate, None if not recently. Both are aware UTC.
    """

    group: str
    rate: float
    paused_until: datetime | None
    throttled_at: datetime | None = None


def states(account: Account) -> tuple[RateState, ...]:
    """Return the state of the rates of `account`. Never raises and counts no call."""
    groups = ("sales", "other") if account.total_rate is None else ("total",)
    return tuple(_state(_bucket_of(account, group), group) for group in groups)


def is_paused(account: str) -> bool:
    """Return whether XCover has asked for a pause in quoting. Counts no call."""
    limits = get_config().accounts.get(account)
    if limits is None:
        return False
    group = "sales" if limits.total_rate is None else "total"
    paused = _bucket_of(limits, group).key("paused")
    until = shared_cache.attempt(lambda cache: float(cache.get(paused, 0.0)), 0.0)
    return _paused_for(until, time.time()) > 0


def limiter_of(account: Account) -> Limiter:
    """Return the limiter that keeps the calls of `account` within its rates."""

    def limiter(endpoint: Endpoint, until: Deadline) -> AbstractContextManager[None]:
        return _turn(_bucket(account, endpoint), until)

    return limiter


@contextmanager
def at_once() -> Iterator[None]:
    """Let no call inside the block wait for its turn. Raise HeldBack instead."""
    token = _in_a_hurry.set(True)
    try:
        yield
    finally:
        _in_a_hurry.reset(token)


@contextmanager
def _turn(bucket: Bucket, until: Deadline) -> Iterator[None]:
    _await(bucket, until)
    try:
        yield
    except Throttled as error:
        _pause(bucket, error.retry_after)
        raise


def _await(bucket: Bucket, until: Deadline) -> None:
    """Wait until a call is allowed. Raise HeldBack if that would take too long."""
    patience = Deadline.after(0.0 if _in_a_hurry.get() else until.left * WAITING)
    while wait := shared_cache.attempt(lambda cache: _take(cache, bucket, time.time()), 0.0):
        # Jitter, so that waiting calls do not all retry at once.
        delay = wait * random.uniform(1.0, 1.5)  # noqa: S311 - not a secret
        if delay >= patience.left:
            raise HeldBack("the rate limit is used up", retry_after=delay)
        time.sleep(delay)


def _take(cache: BaseCache, bucket: Bucket, now: float) -> float:
    """Count one call and return 0.0, or return the seconds after which to try again."""
    this, *before = _counts(bucket, now)
    paused = bucket.key("paused")
    known = cache.get_many([this, *before, paused])
    if wait := _paused_for(known.get(paused, 0.0), now):
        return wait
    taken = sum(known.get(name, 0) for name in before)
    if taken + known.get(this, 0) < bucket.rate:
        count = 1 if cache.add(this, 1, COUNTED) else _add(cache, this, 1)
        if taken + count <= bucket.rate:
            return 0.0
        _add(cache, this, -1)
    return 1 / bucket.rate


def _counts(bucket: Bucket, now: float) -> list[str]:
    """Return the cache keys of the current tenth of a second and the ten before it."""
    tenth = int(now * TENTHS)
    return [bucket.key(f"{(tenth - back) % NAMES}") for back in range(TENTHS + 1)]


def _paused_for(until: float, now: float) -> float:
    """Return the seconds left of a pause. A pause that is too long was set by another clock."""
    left = until - now
    return left if 0 < left <= LONGEST_PAUSE else 0.0


def _add(cache: BaseCache, name: str, number: int) -> int:
    try:
        count = cache.incr(name, number)
    except ValueError:  # evicted meanwhile, because a small cache is full
        return 1
    if type(cache).incr is BaseCache.incr:
        # This `incr` resets the timeout to the cache's default, during which the key is reused.
        cache.touch(name, COUNTED)
    return count


def _pause(bucket: Bucket, requested: float | None) -> None:
    """Make all processes wait as long as XCover has asked one of them to."""
    seconds = min(PAUSE if requested is None else requested, LONGEST_PAUSE)
    name, until = bucket.key("paused"), time.time() + seconds
    shared_cache.attempt(lambda cache: cache.set(name, until, LONGEST_PAUSE), None)
    if shared_cache.attempt(lambda cache: _is_first(cache, bucket), True):
        logger.warning("XCover answered 429 and asked for a pause of %.0f s.", seconds)


def _is_first(cache: BaseCache, bucket: Bucket) -> bool:
    """Remember the time of this 429; return whether none was remembered."""
    name, now = bucket.key("throttled"), time.time()
    first = cache.add(name, now, REMEMBERED)
    if not first:
        cache.set(name, now, REMEMBERED)
    return first


def _state(bucket: Bucket, group: str) -> RateState:
    name = bucket.key("paused")
    until = shared_cache.attempt(lambda cache: float(cache.get(name, 0.0)), 0.0)
    paused = datetime.fromtimestamp(until, UTC) if _paused_for(until, time.time()) else None
    name = bucket.key("throttled")
    refused = shared_cache.attempt(lambda cache: float(cache.get(name, 0.0)), 0.0)
    return RateState(
        group=group,
        rate=bucket.rate,
        paused_until=paused,
        throttled_at=datetime.fromtimestamp(refused, UTC) if refused else None,
    )


def _bucket(account: Account, endpoint: Endpoint) -> Bucket:
    if account.total_rate is not None:
        return _bucket_of(account, "total")
    return _bucket_of(account, "sales" if endpoint.group == Group.SALES else "other")


def _bucket_of(account: Account, group: str) -> Bucket:
    # By host, because XCover's prefixes /x and /xcover are one API. Hashed, so that no `repr`
    # contains the API key.
    host = account.base_url.partition("://")[2].partition("/")[0].lower()
    name = shared_cache.key("rate", host, account.api_key, group)
    rates = {"sales": account.sales_rate, "other": account.other_rate, "total": account.total_rate}
    return Bucket(name, rates[group] or 0.0)
