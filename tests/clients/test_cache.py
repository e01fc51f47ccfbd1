"""The cache may be away, slow or strange, and nobody notices but the log."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.core.cache import CacheHandler
from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.filebased import FileBasedCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.management import call_command
from django.db import connection, transaction

from django_xcover.client import ServerFault
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker, rate_limits
from django_xcover.clients.circuit_breaker import Circuit
from django_xcover.clients.rate_limits import Bucket, _take
from django_xcover.exceptions import CircuitOpen
from tests.caches import Away
from tests.requirements import need_module, need_server
from tests.shop import Shop

TABLE = "xcover_test_cache"
BACKENDS = ["locmem", "filebased", "redis"]


@pytest.fixture(params=BACKENDS)
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseCache]:
    """Return a real cache of each kind, or skip."""
    facts: dict[str, Any] = {
        "locmem": ("django.core.cache.backends.locmem.LocMemCache", str(tmp_path)),
        "filebased": ("django.core.cache.backends.filebased.FileBasedCache", str(tmp_path)),
        "redis": ("django.core.cache.backends.redis.RedisCache", "redis://127.0.0.1:6379/9"),
    }
    if request.param == "redis":
        need_module("redis", serving="redis")
        need_server("redis")
    backend, location = facts[request.param]
    options = {"BACKEND": backend, "LOCATION": location, "KEY_PREFIX": str(tmp_path)}
    handler = CacheHandler({"default": options})
    yield handler["default"]
    handler.close_all()


@pytest.fixture
def two_processes(shop: Shop, cache: BaseCache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the circuits live in the cache, as for several processes."""
    monkeypatch.setattr(shared_cache, "memory", shared_cache.Memory(lambda: cache))


def fail(times: int) -> None:
    for _ in range(times):
        with pytest.raises(ServerFault), circuit_breaker.guard("default"):
            raise ServerFault


def is_refused() -> bool:
    try:
        with circuit_breaker.guard("default"):
            return False
    except CircuitOpen:
        return True


def test_a_circuit_lives_in_every_kind_of_cache(two_processes: None) -> None:
    fail(3)
    assert circuit_breaker.state("default").circuit == Circuit.OPEN
    assert is_refused()

    trip = shared_cache.attempt(lambda cache: circuit_breaker._trip(cache, "default"), None)
    assert trip is not None
    with time_machine.travel(trip.until + 0.1, tick=False), circuit_breaker.guard("default"):
        assert is_refused()

    assert circuit_breaker.state("default") == circuit_breaker.BreakerState(
        account="default", circuit=Circuit.CLOSED, calls=1
    )


def test_a_rate_is_counted_in_every_kind_of_cache(cache: BaseCache) -> None:
    bucket = Bucket("test", 2.0)

    assert [_take(cache, bucket, 1000.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert _take(cache, bucket, 1001.0) == 0.5
    assert _take(cache, bucket, 1001.1) == 0.0


def test_a_cache_that_failed_is_left_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    away, moment = Away(), [1000.0]
    monkeypatch.setattr("django_xcover.clients.cache.time.monotonic", lambda: moment[0])
    memory = shared_cache.Memory(lambda: away)

    found = [memory.attempt(lambda cache: cache.get("x"), "without") for _ in range(10)]
    assert found == ["without"] * 10
    assert away.asked == 1

    moment[0] += 5.1
    memory.attempt(lambda cache: cache.get("x"), None)
    assert away.asked == 2
    assert len(caplog.records) == 2


def test_the_log_says_what_failed_and_no_address(caplog: pytest.LogCaptureFixture) -> None:
    memory = shared_cache.Memory(Away)

    memory.attempt(lambda cache: cache.get("x"), None)

    assert "ConnectionError" in caplog.text
    assert "secret" not in caplog.text


def test_a_cache_that_is_not_configured_is_done_without(shop: Shop, settings: Any) -> None:
    settings.XCOVER = {**settings.XCOVER, "CACHE": "nowhere"}
    memory = shared_cache.Memory(shared_cache.memory.find)

    assert memory.attempt(lambda cache: cache.get("x"), "without") == "without"


def test_the_setting_names_the_cache(shop: Shop, settings: Any) -> None:
    locmem = "django.core.cache.backends.locmem.LocMemCache"
    other = {"BACKEND": locmem, "LOCATION": "other"}
    settings.CACHES = {"default": {"BACKEND": locmem}, "other": other}
    settings.XCOVER = {**settings.XCOVER, "CACHE": "other"}

    shared_cache.attempt(lambda cache: cache.set("a", 1), None)

    from django.core.cache import caches

    assert caches["other"].get("a") == 1
    assert caches["default"].get("a") is None


def test_no_key_tells_what_it_stands_for() -> None:
    key = shared_cache.key("rate", "https://api.xcover.com/x", "the-api-key")

    assert key.startswith("xcover:rate:")
    assert "api" not in key
    assert shared_cache.key("a", "b", "c") != shared_cache.key("a", "bc")


@pytest.fixture
def table(shop: Shop, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the circuits live in a table of the shop's database."""
    options = {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": TABLE}
    handler = CacheHandler({"default": options})
    call_command("createcachetable", TABLE)
    monkeypatch.setattr(shared_cache, "memory", shared_cache.Memory(lambda: handler["default"]))
    yield
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {TABLE}")


@pytest.mark.usefixtures("table")
def test_a_database_cache_is_done_without_inside_the_shops_transaction(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with transaction.atomic():
        fail(3)
        assert circuit_breaker.state("default").circuit == Circuit.UNKNOWN

    assert circuit_breaker.state("default").calls == 0
    fail(3)
    assert circuit_breaker.state("default").circuit == Circuit.OPEN
    assert [record.levelname for record in caplog.records] == ["ERROR"], "it has not failed"


@pytest.mark.usefixtures("table")
def test_a_page_in_a_transaction_holds_no_other_process_that_counts() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("on SQLite one transaction holds all others, with a cache or without")

    def another_process() -> None:
        fail(1)
        connection.close()

    fail(1)
    other = threading.Thread(target=another_process)
    with transaction.atomic():  # of a product page, say, under ATOMIC_REQUESTS
        fail(1)
        other.start()
        other.join(10)
        assert not other.is_alive()


def test_a_count_is_kept_for_seconds_where_counting_is_reading_and_writing(tmp_path: Path) -> None:
    # Kept for such a cache's default, five minutes, it would count again when its name comes up.
    cache, bucket = FileBasedCache(str(tmp_path), {}), Bucket("test", 2.0)

    with time_machine.travel(1000.0, tick=False) as clock:
        counted = [_take(cache, bucket, 1000.0) for _ in range(4)]
        clock.shift(rate_limits.COUNTED + 1)
        kept = cache.get_many(rate_limits._counts(bucket, 1000.0))

    assert counted == [0.0, 0.0, 0.5, 0.5]
    assert kept == {}


def test_a_count_that_is_thrown_out_meanwhile_is_no_failure_of_the_cache() -> None:
    class Small(LocMemCache):
        def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
            self.delete(key)
            return super().incr(key, delta, version)

    cache = Small("small", {})

    assert [_take(cache, Bucket("small", 2.0), 1000.0) for _ in range(2)] == [0.0, 0.0]
