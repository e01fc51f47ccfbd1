"""A clock that stands still, and a memory of faults and rates that no other test has touched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.cache.backends.locmem import LocMemCache

from django_xcover.clients import cache as shared_cache
from tests.shop import Shop

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Return the clock, which stands still unless it is moved."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def memory(
    shop: Shop, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> shared_cache.Memory:
    """Return an empty cache for circuits and rates, which a test may replace."""
    cache = LocMemCache("tests of services", {})
    cache.clear()
    memory = shared_cache.Memory(lambda: cache)
    monkeypatch.setattr(shared_cache, "memory", memory)
    return memory
