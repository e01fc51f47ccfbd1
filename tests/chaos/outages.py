"""When the shop's own database was cut: no shop can answer then, with or without insurance."""

from __future__ import annotations

import threading
import time

# Seconds after a cut in which connections that broke in it may still be noticed.
AFTERMATH = 2.0


class Outages:
    """The spans of time in which the shop may fail for reasons of its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._spans: list[tuple[float, float]] = []

    def begin(self, seconds: float) -> None:
        """Note that the database is cut now, for so long."""
        now = time.monotonic()
        with self._lock:
            self._spans.append((now, now + seconds + AFTERMATH))

    def touched(self, begun: float, ended: float) -> bool:
        """Return whether any outage overlaps this span of the monotonic clock."""
        with self._lock:
            return any(start <= ended and begun <= end for start, end in self._spans)
