"""The sandbox's clock, which tests and demos can move."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django_xcover.sandbox.store import Store

SOON = timedelta(seconds=1)
A_LIFE = timedelta(days=36525)  # Room for times computed from now: periods, renewals, deadlines.


def _nothing() -> None:
    """Do nothing."""


class Clock:
    """Wall time plus an offset that is stored, so that it survives a restart."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._last = datetime.fromtimestamp(0, UTC)
        # Called after the time was moved, so that due events happen.
        self.moved: Callable[[], object] = _nothing

    @property
    def offset(self) -> timedelta:
        """Return how far the sandbox's time is ahead of wall time."""
        return timedelta(seconds=float(self._store.setting("clock_offset") or 0))

    def now(self) -> datetime:
        """Return the time in the sandbox, aware UTC."""
        return datetime.now(UTC) + self.offset

    def stamp(self) -> datetime:
        """Return the time, but never the same twice in a row, so that stamps show the order."""
        now = self.now()
        with self._lock:
            if abs(now - self._last) < SOON and now <= self._last:
                now = self._last + timedelta(microseconds=1)
            self._last = now
            return now

    def advance(self, by: timedelta | None = None, **units: float) -> None:
        """Move time forward by a timedelta, or by its arguments: `advance(hours=49)`."""
        self._set(self.offset + (by or timedelta()) + timedelta(**units))

    def travel_to(self, moment: datetime) -> None:
        """Set the time to `moment` (aware). Time continues from there."""
        self._set(moment - datetime.now(UTC))

    def _set(self, offset: timedelta) -> None:
        """Store the offset. Raise OverflowError for a time that datetime cannot represent."""
        _ = datetime.now(UTC) + offset + A_LIFE
        self._store.save_setting("clock_offset", str(offset.total_seconds()))
        self.moved()
