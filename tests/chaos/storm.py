"""Shoppers buy and come back at once while the weather does its worst."""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from tests.chaos.outages import Outages
from tests.chaos.returning import come_back
from tests.chaos.shoppers import Purchase, buy
from tests.chaos.weather import Weather
from tests.chaos.wishes import Wish

AT_ONCE = 6
# So many orders of the same queue later somebody comes back.
LATER = 3
PAUSE = 0.3
# Seconds that an order takes its shopper at least. Without an offer the pages are quicker, and no
# more people come than otherwise while XCover is away.
PACE = 1.5


class Storm:
    """So many orders, or as many as there is time for, and what people do with their cover."""

    def __init__(self, shop_url: str, outages: Outages, weather: Weather, *, seed: int) -> None:
        self._shop_url = shop_url
        self._outages = outages
        self._weather = weather
        self._seed = seed
        self._lock = threading.Lock()
        self._over = threading.Event()

    def rage(self, orders: int, until: float, patience: float) -> list[Purchase]:
        """Return every purchase; none begins after `until` on the monotonic clock.

        Who wants to cancel or change comes back some orders later, and after the last order again
        and again for `patience` seconds.
        """
        numbers = itertools.count()
        bought: list[Purchase] = []

        def queue() -> None:
            waiting: deque[Purchase] = deque()
            while self._may_go_on(until) and (number := self._next(numbers)) < orders:
                self._weather.step(number)
                begun = time.monotonic()
                purchase = buy(self._shop_url, self._outages, self._seed, number)
                bought.append(purchase)
                if purchase.will(Wish.CANCEL, Wish.CHANGE):
                    waiting.append(purchase)
                if len(waiting) > LATER:
                    _visit(waiting)
                self._over.wait(max(0.0, begun + PACE - time.monotonic()))
            self._visit_all(waiting, time.monotonic() + patience)

        self._at_once(queue)
        return sorted(bought, key=lambda purchase: purchase.number)

    def renew(self, purchases: Sequence[Purchase], patience: float) -> None:
        """Let those who want to renew come back, for `patience` seconds at most."""
        numbers = itertools.count()
        until = time.monotonic() + patience

        def queue() -> None:
            waiting: deque[Purchase] = deque()
            while self._may_go_on(until) and (number := self._next(numbers)) < len(purchases):
                self._weather.step(number)
                waiting.append(purchases[number])
                _visit(waiting)
            self._visit_all(waiting, until)

        self._at_once(queue)

    def _at_once(self, queue: Callable[[], None]) -> None:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            queues = [pool.submit(queue) for _ in range(AT_ONCE)]
            try:
                for each in queues:
                    each.result()
            finally:
                self._over.set()  # the pool waits for its threads, also when the run is ended
        self._over.clear()

    def _visit_all(self, waiting: deque[Purchase], until: float) -> None:
        while waiting and self._may_go_on(until):
            if not _visit(waiting):
                time.sleep(PAUSE)  # what one waits for takes a moment

    def _may_go_on(self, until: float) -> bool:
        return time.monotonic() < until and not self._over.is_set()

    def _next(self, numbers: itertools.count[int]) -> int:
        with self._lock:
            return next(numbers)


def _visit(waiting: deque[Purchase]) -> bool:
    """Let the first of them come back; who was in vain stands at the end again."""
    purchase = waiting.popleft()
    came_to_something = come_back(purchase)
    if not came_to_something:
        waiting.append(purchase)
    return came_to_something
