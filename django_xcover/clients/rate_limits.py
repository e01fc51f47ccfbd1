"""Fewer calls than XCover allows, counted by all processes together in Django's cache.

Work in the background waits for its turn. A shopper does not: `at_once`.

The limit is an API key's (Quotes API: rate limits), which several accounts may share. XCover's
application counts the last second, not the clock's (its answer is Django REST framework's). So
calls are counted by tenths of a second, and the present tenth and the ten before it, which hold any
second that ends now, have no more than the rate.
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

from django_xcover.client import HeldBack, Throttled
from django_xcover.client.connections import Deadline
from django_xcover.client.endpoints import Endpoint, Group
from django_xcover.client.requestor import Limiter
from django_xcover.clients import cache as shared_cache
from django_xcover.conf import Account

# The part of its time that a call may wait: of a booking's 15 s it leaves the 10 that XCover asks.
WAITING = 1 / 3
# Seconds to pause after a 429: as XCover says, or what it said when it did, and never too long.
PAUSE, LONGEST_PAUSE = 1.0, 60.0
TENTHS = 10  # of a second
# Seconds a count is kept. Two would do, but database and Memcached may forget it a second early.
COUNTED = 3
# Counts are kept under so many names in turn: a new one for each tenth would fill a cache that
# holds 300 entries (Django's default) and throw out the shop's own. So many tenths are longer than
# COUNTED: a name's old count is forgotten when its turn comes again.
NAMES = 40

_in_a_hurry: ContextVar[bool] = ContextVar("xcover_in_a_hurry", default=False)


@dataclass(frozen=True, slots=True)
class Bucket:
    """Calls that are counted together, and how many of them a second may have."""

    name: str
    rate: float

    def key(self, what: str) -> str:
        """Return the cache key of a fact about this bucket."""
        return shared_cache.key("rate", self.name, what)


@dataclass(frozen=True, slots=True, kw_only=True)
class RateState:
    """A rate in calls a second: of `group` "sales" or "other", or of "total" for all together.

    `paused_until` (aware UTC) is until when XCover has asked to be left alone, None for not now.
    """

    group: str
    rate: float
    paused_until: datetime | None


def states(account: Account) -> tuple[RateState, ...]:
    """Return how the rates of `account` stand. Counts no call and never raises."""
    return tuple(_state(_bucket_of(account, group), group) for group in _groups(account))


def limiter_of(account: Account) -> Limiter:
    """Return what lets the calls of `account` through, as many as its rates allow."""

    def limiter(endpoint: Endpoint, until: Deadline) -> AbstractContextManager[None]:
        return _turn(_bucket(account, endpoint), until)

    return limiter


@contextmanager
def at_once() -> Iterator[None]:
    """Let no call inside the block wait for its turn: without one it is HeldBack."""
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
    """Return when a call may be made; raise HeldBack when that is not soon enough."""
    patience = Deadline.after(0.0 if _in_a_hurry.get() else until.left * WAITING)
    while wait := shared_cache.attempt(lambda cache: _take(cache, bucket, time.time()), 0.0):
        # Spread, so that those who wait do not all come back at once.
        spread = wait * random.uniform(1.0, 1.5)  # noqa: S311 - no secret
        if spread >= patience.left:
            raise HeldBack("the rate limit is used up", retry_after=spread)
        time.sleep(spread)


def _take(cache: BaseCache, bucket: Bucket, now: float) -> float:
    """Return 0.0 and count one call, or the seconds after which to ask again."""
    this, *before = _counts(bucket, now)
    paused = bucket.key("paused")
    known = cache.get_many([this, *before, paused])
    if wait := _paused_for(known.get(paused, 0.0), now):
        return wait
    taken = sum(known.get(name, 0) for name in before)
    if taken + known.get(this, 0) < bucket.rate:
        if taken + _count(cache, this) <= bucket.rate:
            return 0.0
        _add(cache, this, -1)
    return 1 / bucket.rate


def _counts(bucket: Bucket, now: float) -> list[str]:
    """Return the names of the counts of the present tenth of a second and the ten before it."""
    tenth = int(now * TENTHS)
    return [bucket.key(f"{(tenth - back) % NAMES}") for back in range(TENTHS + 1)]


def _paused_for(until: float, now: float) -> float:
    """Return the seconds of a pause that are left; one too long was set by another clock."""
    left = until - now
    return left if 0 < left <= LONGEST_PAUSE else 0.0


def _count(cache: BaseCache, name: str) -> int:
    return 1 if cache.add(name, 1, COUNTED) else _add(cache, name, 1)


def _add(cache: BaseCache, name: str, number: int) -> int:
    try:
        count = cache.incr(name, number)
    except ValueError:  # it was thrown out in between: a small cache that is full
        return 1
    if type(cache).incr is BaseCache.incr:
        # Such a cache has written it for its default time, in which its name comes up again.
        cache.touch(name, COUNTED)
    return count


def _pause(bucket: Bucket, asked: float | None) -> None:
    """Let all processes wait as long as XCover has asked one of them to."""
    seconds = min(PAUSE if asked is None else asked, LONGEST_PAUSE)
    name, until = bucket.key("paused"), time.time() + seconds
    shared_cache.attempt(lambda cache: cache.set(name, until, LONGEST_PAUSE), None)


def _state(bucket: Bucket, group: str) -> RateState:
    name = bucket.key("paused")
    until = shared_cache.attempt(lambda cache: float(cache.get(name, 0.0)), 0.0)
    paused = datetime.fromtimestamp(until, UTC) if _paused_for(until, time.time()) else None
    return RateState(group=group, rate=bucket.rate, paused_until=paused)


def _groups(account: Account) -> tuple[str, ...]:
    return ("sales", "other") if account.total_rate is None else ("total",)


def _bucket(account: Account, endpoint: Endpoint) -> Bucket:
    if account.total_rate is not None:
        return _bucket_of(account, "total")
    return _bucket_of(account, "sales" if endpoint.group == Group.SALES else "other")


def _bucket_of(account: Account, group: str) -> Bucket:
    # By the host: XCover's prefixes /x and /xcover are one API. Hashed, so that no `repr` holds the
    # key.
    host = account.base_url.partition("://")[2].partition("/")[0].lower()
    name = shared_cache.key("rate", host, account.api_key, group)
    rates = {"sales": account.sales_rate, "other": account.other_rate, "total": account.total_rate}
    return Bucket(name, rates[group] or 0.0)
