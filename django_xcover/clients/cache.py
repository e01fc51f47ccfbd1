"""What all processes know together: Django's cache, as far as it is there.

Nothing in it is needed for a booking to be right. So a cache that is away, or holds what cannot be
read, counts as empty, and none of its errors reaches a page. So does a table inside a transaction.
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

# Seconds for which this process leaves a failed cache alone: one that fails by timing out would
# otherwise hold every page for several timeouts.
LEFT_ALONE = 5.0

T = TypeVar("T")


@dataclass
class Memory:
    """A cache that may fail."""

    find: Callable[[], BaseCache]
    away_until: float = 0.0

    def attempt(self, do: Callable[[BaseCache], T], otherwise: T) -> T:
        """Return what `do` makes of the cache, or `otherwise` while the cache fails."""
        if time.monotonic() < self.away_until:
            return otherwise
        try:
            cache = self.find()
            return otherwise if _is_in_a_transaction(cache) else do(cache)
        except Exception as error:  # noqa: BLE001 - backends raise what their drivers raise
            self.away_until = time.monotonic() + LEFT_ALONE
            # No traceback: it could quote an address with a password.
            logger.warning("The cache fails (%s) and is done without.", type(error).__name__)
            return otherwise


def _is_in_a_transaction(cache: BaseCache) -> bool:
    """Return whether `cache` is a table that would be written in the shop's transaction.

    The one row of an account's calls would be locked until that commits, and each other process
    would wait for it, outside every deadline. What fails there would end the shop's transaction.
    """
    if not isinstance(cache, BaseDatabaseCache):
        return False
    alias = router.db_for_write(cache.cache_model_class)
    return bool(transaction.get_connection(alias).in_atomic_block)


memory = Memory(lambda: caches[get_config().cache])


def attempt(do: Callable[[BaseCache], T], otherwise: T) -> T:
    """Return what `do` makes of the shop's cache, or `otherwise` while the cache fails."""
    return memory.attempt(do, otherwise)


def key(*parts: str) -> str:
    """Return the cache key for `parts`: of any length and spelling, and telling nobody anything."""
    digest = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return f"xcover:{parts[0]}:{digest[:40]}"


class Reach(StrEnum):
    """Who sees what one process writes into the cache.

    SHARED is what any backend counts as that is not known to be otherwise: files and databases
    serve at least the processes of one machine.
    """

    SHARED = "shared"
    PROCESS = "process"
    NOBODY = "nobody"
    AWAY = "away"


def reach() -> Reach:
    """Return whom the cache serves. Never raises."""
    return attempt(_reach, Reach.AWAY)


def _reach(cache: BaseCache) -> Reach:
    # A cache that is away says so only when it is asked for something.
    cache.get(key("reach"))
    if isinstance(cache, LocMemCache):
        return Reach.PROCESS
    return Reach.NOBODY if isinstance(cache, DummyCache) else Reach.SHARED
