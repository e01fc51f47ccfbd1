"""Whom Django's cache serves: what it tells of circuits, rates and the sweeper is only as wide."""

from __future__ import annotations

from enum import StrEnum

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache

from django_xcover.services import shared_cache


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
    return shared_cache.attempt(_reach, Reach.AWAY)


def _reach(cache: BaseCache) -> Reach:
    # A cache that is away says so only when it is asked for something.
    cache.get(shared_cache.key("reach"))
    if isinstance(cache, LocMemCache):
        return Reach.PROCESS
    return Reach.NOBODY if isinstance(cache, DummyCache) else Reach.SHARED
