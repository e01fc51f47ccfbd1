"""The sandbox's own time, which a test or a demonstration can move."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

from django_xcover.sandbox.store import Store

SOON = timedelta(seconds=1)


class Clock:
    """Wall time plus an offset that outlives the process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._last = datetime.fromtimestamp(0, UTC)

    @property
    def offset(self) -> timedelta:
        """Return how far the sandbox's time is ahead of the wall's."""
        return timedelta(seconds=float(self._store.setting("clock_offset") or 0))

    def now(self) -> datetime:
        """Return the time in the sandbox, aware UTC."""
        return datetime.now(UTC) + self.offset

    def stamp(self) -> datetime:
        """Return the time, never the same twice running: order can be told from stamps."""
        now = self.now()
        with self._lock:
            if abs(now - self._last) < SOON and now <= self._last:
                now = self._last + timedelta(microseconds=1)
            self._last = now
            return now

    def advance(self, by: timedelta | None = None, **units: float) -> None:
        """Move time on by a timedelta, or by its arguments: `advance(hours=49)`."""
        total = self.offset + (by or timedelta()) + timedelta(**units)
        self._store.save_setting("clock_offset", str(total.total_seconds()))

    def travel_to(self, moment: datetime) -> None:
        """Make it this aware moment now; time goes on from there."""
        gap = moment - datetime.now(UTC)
        self._store.save_setting("clock_offset", str(gap.total_seconds()))
