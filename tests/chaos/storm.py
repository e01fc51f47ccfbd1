"""Shoppers buy at once while the weather does its worst."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.outages import Outages
from tests.chaos.shoppers import Purchase, buy
from tests.chaos.weather import Weather

AT_ONCE = 6


class Storm:
    """So many orders, or as many as there is time for."""

    def __init__(self, shop_url: str, outages: Outages, weather: Weather, *, seed: int) -> None:
        self._shop_url = shop_url
        self._outages = outages
        self._weather = weather
        self._seed = seed
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._over = threading.Event()

    def rage(self, orders: int, until: float) -> list[Purchase]:
        """Return every purchase; none begins after `until` on the monotonic clock."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            queues = [pool.submit(self._queue, orders, until) for _ in range(AT_ONCE)]
            try:
                return [purchase for queue in queues for purchase in queue.result()]
            finally:
                self._over.set()  # the pool waits for its threads, also when the run is ended

    def _queue(self, orders: int, until: float) -> list[Purchase]:
        purchases = []
        while self._may_go_on(until) and (number := self._next()) < orders:
            self._weather.order_begins(number)
            purchases.append(buy(self._shop_url, self._outages, self._seed, number))
        return purchases

    def _may_go_on(self, until: float) -> bool:
        return time.monotonic() < until and not self._over.is_set()

    def _next(self) -> int:
        with self._lock:
            return next(self._numbers)
