"""A log of the received calls, without their bodies."""

from __future__ import annotations

from dataclasses import dataclass

from django_xcover.sandbox import datetimes
from django_xcover.sandbox.clock import Clock
from django_xcover.sandbox.store import Store


@dataclass(frozen=True)
class Call:
    """One received call. `status` is None if the connection was broken without a response."""

    operation: str
    method: str
    path: str
    idempotency_key: str | None
    status: int | None


class CallLog:
    """The received calls, oldest first. They survive a restart."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record(self, call: Call) -> None:
        """Store one call."""
        at = datetimes.stamp(self._clock.now())
        self._store.rows(
            "INSERT INTO received (operation, method, path, idempotency_key, status, received_at) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (call.operation, call.method, call.path, call.idempotency_key, call.status, at),
        )

    def calls(self, operation: str | None = None) -> list[Call]:
        """Return the calls of one operation, or all calls."""
        rows = self._store.rows(
            "SELECT operation, method, path, idempotency_key, status FROM received "
            "WHERE ? IS NULL OR operation = ? ORDER BY number",
            (operation, operation),
        )
        return [Call(*row) for row in rows]
