"""Caches for tests: one that is away, one that keeps nonsense, and real ones."""

from __future__ import annotations

from typing import Any

from django.core.cache.backends.base import BaseCache
from django.core.cache.backends.locmem import LocMemCache


class Away(BaseCache):
    """A cache whose server cannot be reached."""

    def __init__(self) -> None:
        super().__init__({})
        self.asked = 0

    def _fail(self, *args: Any, **kwargs: Any) -> Any:
        self.asked += 1
        raise ConnectionError("redis://:secret@cache.internal refused")

    add = get = set = touch = delete = _fail
    get_many = set_many = delete_many = incr = decr = has_key = _fail


class Nonsense(LocMemCache):
    """A cache that somebody else has written into."""

    def __init__(self) -> None:
        super().__init__("nonsense", {})

    def get(self, *args: Any, **kwargs: Any) -> Any:
        return "nonsense"

    def get_many(self, keys: Any, version: Any = None) -> Any:
        return dict.fromkeys(keys, "nonsense")
