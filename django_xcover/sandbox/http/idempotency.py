"""Idempotency keys: the same key twice is one operation (Quotes API: idempotency)."""

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
    """Return the scope of a key (partner, method, path and key), or None without a key.

    Inferred: the path is part of it, so a key used by mistake for two packages is two operations.
    """
    key = request.headers.get("x-idempotency-key")
    if not key or request.method not in METHODS:
        return None
    return "\n".join((partner, request.method, path.rstrip("/"), key))


class Idempotency:
    """Stored 2xx responses, and the keys whose first request is still running."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        # In memory on purpose: after a crash no request runs, so no key may stay locked.
        self._running: set[str] = set()

    @contextmanager
    def running(self, scope: str | None) -> Iterator[None]:
        """Lock the key while the block runs. Raise ApiError 423 if it is already locked."""
        if scope is None:
            yield
            return
        self.lock(scope)
        try:
            yield
        finally:
            self.release(scope)

    def lock(self, scope: str) -> None:
        """Lock the key. Raise ApiError 423 if a request with it is running."""
        with self._lock:
            if scope in self._running:
                raise locked()
            self._running.add(scope)

    def release(self, scope: str) -> None:
        """Unlock the key."""
        with self._lock:
            self._running.discard(scope)

    def stored(self, scope: str | None, body: bytes) -> bytes | None:
        """Return the body of the first response, or None if there is none within 48 hours.

        Inferred: the same key with another body is a 422; the page ties the replay to both.
        """
        rows = self._store.rows(
            "SELECT body_hash, content FROM answer WHERE scope = ? AND stored_at > ?",
            (scope, (self._clock.now() - KEPT).timestamp()),
        )
        if not rows:
            return None
        if rows[0][0] != _hash(body):
            raise Invalid(["The idempotency key was used with another request body."])
        return bytes(rows[0][1])

    def keep(self, scope: str | None, body: bytes, content: bytes) -> None:
        """Store the body of a 2xx response. Inferred: errors are not stored."""
        if scope is None:
            return
        self._store.rows(
            "INSERT OR REPLACE INTO answer (scope, body_hash, content, stored_at) "
            "VALUES (?, ?, ?, ?)",
            (scope, _hash(body), content, self._clock.now().timestamp()),
        )


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
