"""State shared by all processes through Django's cache, as far as the cache is available.

No booking depends on it. So a cache that is unavailable or holds unreadable values counts as empty,
and none of its errors reaches a page. A database cache counts as empty inside a transaction.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.db import router, transaction

from django_xcover import safe_logging
from django_xcover.conf import get_config

logger = safe_logging.get_logger("django_xcover.clients")

# Seconds for which this process does not use the cache after it failed. Otherwise a cache that
# times out would delay every page by several timeouts.
PAUSE_AFTER_FAILURE = 5.0

T = TypeVar("T")


@dataclass
class Memory:
    """A cache that may fail."""

    find: Callable[[], BaseCache]
    away_until: float = 0.0

    def attempt(self, do: Callable[[BaseCache], T], otherwise: T) -> T:
        """Return `do(cache)`, or `otherwise` while the cache is failing."""
        if time.monotonic() < self.away_until:
            return otherwise
        try:
            cache = self.find()
            return otherwise if _is_in_a_transaction(cache) else do(cache)
        except Exception as error:  # noqa: BLE001 - backends raise what their drivers raise
            self.away_until = time.monotonic() + PAUSE_AFTER_FAILURE
            # No traceback: it could quote a URL with a password.
            logger.warning(
                "The cache failed (%s). Continuing without it for %.0f s.",
                type(error).__name__,
                PAUSE_AFTER_FAILURE,
            )
            return otherwise


def _is_in_a_transaction(cache: BaseCache) -> bool:
    """Return whether `cache` is a database table and the shop's transaction is open.

    Writing would lock the row of an account's calls until the commit, and every other process would
    wait for it, beyond any deadline. An error would also break the shop's transaction.
    """
    if not isinstance(cache, BaseDatabaseCache):
        return False
    alias = router.db_for_write(cache.cache_model_class)
    return bool(transaction.get_connection(alias).in_atomic_block)


memory = Memory(lambda: caches[get_config().cache])


def attempt(do: Callable[[BaseCache], T], otherwise: T) -> T:
    """Return `do(cache)` for the shop's cache, or `otherwise` while the cache is failing."""
    return memory.attempt(do, otherwise)


def key(*parts: str) -> str:
    """Return the cache key for `parts`. They may have any length and characters, and are hashed."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"xcover:{parts[0]}:{digest[:40]}"


class CacheScope(StrEnum):
    """The processes that share the cache.

    Every backend that is not known to be narrower counts as SHARED. Files and databases are shared
    at least by the processes of one machine.
    """

    SHARED = "shared"
    PROCESS = "process"
    NONE = "none"
    UNAVAILABLE = "unavailable"


def cache_scope() -> CacheScope:
    """Return which processes share the cache. Never raises."""
    return attempt(_scope, CacheScope.UNAVAILABLE)


def _scope(cache: BaseCache) -> CacheScope:
    # Only an access shows whether the cache is available.
    cache.get(key("scope"))
    if isinstance(cache, LocMemCache):
        return CacheScope.PROCESS
    return CacheScope.NONE if isinstance(cache, DummyCache) else CacheScope.SHARED
