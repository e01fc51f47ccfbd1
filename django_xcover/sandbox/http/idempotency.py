"""The same key twice is one operation (Quotes API: idempotency)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from werkzeug.wrappers import Request

from django_xcover.sandbox.clock import Clock
from django_xcover.sandbox.http.errors import Invalid, locked
from django_xcover.sandbox.store import Store

KEPT = timedelta(hours=48)
METHODS = frozenset({"POST", "PUT", "PATCH"})


def scope_of(request: Request, partner: str, path: str) -> str | None:
    """Return what one key stands for: partner, method, path and key; None without a key.

    Inferred: the path belongs to it, so a key used by mistake for two packages is two operations.
    """
    key = request.headers.get("x-idempotency-key")
    if not key or request.method not in METHODS:
        return None
    return "\n".join((partner, request.method, path.rstrip("/"), key))


class Idempotency:
    """Stored 2xx answers, and the keys whose first request is running now."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        # In memory on purpose: after a crash nothing runs, so nothing may stay locked.
        self._running: set[str] = set()

    @contextmanager
    def running(self, scope: str | None) -> Iterator[None]:
        """Mark the key while the block runs; raise ApiError 423 when it is marked already."""
        if scope is None:
            yield
            return
        self.mark(scope)
        try:
            yield
        finally:
            self.release(scope)

    def mark(self, scope: str) -> None:
        """Take the key; raise ApiError 423 when a request with it is running."""
        with self._lock:
            if scope in self._running:
                raise locked()
            self._running.add(scope)

    def release(self, scope: str) -> None:
        """Give the key back."""
        with self._lock:
            self._running.discard(scope)

    def stored(self, scope: str | None, body: bytes) -> bytes | None:
        """Return the first answer's body, or None when there is none younger than 48 hours.

        Inferred: the same key with another body is 422; the page ties the replay to both.
        """
        found = self._store.rows(
            "SELECT body_hash, content FROM answer WHERE scope = ? AND stored_at > ?",
            (scope, (self._clock.now() - KEPT).timestamp()),
        )
        if not found:
            return None
        if found[0][0] != _hash(body):
            raise Invalid(["The idempotency key was used with another request body."])
        return bytes(found[0][1])

    def keep(self, scope: str | None, body: bytes, content: bytes) -> None:
        """Store the body of a 2xx answer. Inferred: refusals are not stored."""
        if scope is None:
            return
        self._store.rows(
            "INSERT OR REPLACE INTO answer (scope, body_hash, content, stored_at) "
            "VALUES (?, ?, ?, ?)",
            (scope, _hash(body), content, self._clock.now().timestamp()),
        )


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
