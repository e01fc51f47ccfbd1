"""When the sweeper last came round, so that somebody can tell whether beat is alive.

Kept in Django's cache: it is written every half minute, and nothing depends on it.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from django_xcover.services import shared_cache


def swept() -> None:
    """Note that the sweeper has just come round."""
    name, now = _key(), time.time()
    shared_cache.attempt(lambda cache: cache.set(name, now, None), None)


def last_sweep() -> datetime | None:
    """Return when the sweeper last came round; None when the cache does not know."""
    seconds = shared_cache.attempt(lambda cache: cache.get(_key()), None)
    return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, float) else None


def _key() -> str:
    return shared_cache.key("swept")
