"""The sandbox's state in a SQLite file: packages, idempotent responses, calls and the clock."""

from __future__ import annotations

import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import simplejson

from django_xcover.sandbox.packages import Package


def to_wire(body: Any) -> bytes:
    """Return compact JSON in UTF-8, without escapes, as recorded (`£`)."""
    text = simplejson.dumps(body, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def from_wire(data: bytes) -> Any:
    """Return the parsed value with Decimal for fractions. Raise ValueError for invalid JSON."""
    return simplejson.loads(data.decode(), use_decimal=True)


def to_store(value: Any) -> str:
    """Return JSON that preserves Decimal and datetime."""
    return simplejson.dumps(value, use_decimal=False, default=_tagged)


def from_store(text: str) -> Any:
    """Return the value that `to_store` encoded."""
    return simplejson.loads(text, object_hook=_untagged)


def _tagged(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    raise TypeError(f"The store cannot hold {type(value).__name__}.")


def _untagged(value: dict[str, Any]) -> Any:
    if "$decimal" in value:
        return Decimal(value["$decimal"])
    if "$time" in value:
        return datetime.fromisoformat(value["$time"])
    return value


SCHEMA = """
CREATE TABLE IF NOT EXISTS package (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    partner TEXT NOT NULL,
    status TEXT NOT NULL,
    document TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS renewal (id TEXT PRIMARY KEY, package TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS fast_quote (id TEXT PRIMARY KEY, partner TEXT NOT NULL, opted_out TEXT);
CREATE TABLE IF NOT EXISTS answer (
    scope TEXT PRIMARY KEY, body_hash TEXT NOT NULL, content BLOB NOT NULL, stored_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS received (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    operation TEXT NOT NULL, method TEXT NOT NULL, path TEXT NOT NULL,
    idempotency_key TEXT, status INTEGER, received_at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS card_token (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, email TEXT NOT NULL, is_declined INTEGER NOT NULL,
    charged TEXT, package TEXT, currency TEXT
);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """Tables behind one connection and one lock, so that only one thread uses them at a time."""

    def __init__(self, database: str) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            database, check_same_thread=False, isolation_level=None, timeout=10
        )
        self.close = weakref.finalize(self, self._connection.close)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block exclusively and atomically. Blocks may nest."""
        with self._lock:
            self._depth += 1
            try:
                if self._depth == 1:
                    self._connection.execute("BEGIN IMMEDIATE")
                yield
            except BaseException:
                self._end("ROLLBACK")
                raise
            else:
                self._end("COMMIT")

    def _end(self, statement: str) -> None:
        self._depth -= 1
        if self._depth == 0 and self._connection.in_transaction:
            self._connection.execute(statement)

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of the statement."""
        with self._lock:
            return self._connection.execute(sql, values).fetchall()

    def save_package(self, package: Package) -> None:
        """Insert or update the package."""
        self.rows(
            "INSERT INTO package (id, partner, status, document) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET status = excluded.status, document = excluded.document",
            (package.id, package.partner, package.status, to_store(package.document())),
        )

    def find_package(self, package_id: str) -> Package | None:
        """Return the package with this case-sensitive id, or None."""
        rows = self.rows("SELECT document FROM package WHERE id = ?", (package_id,))
        return _package(rows[0]) if rows else None

    def save_renewal(self, renewal_id: str, package_id: str) -> None:
        """Store the package of a renewal, because the 2020 confirmation only names the renewal."""
        self.rows("INSERT INTO renewal (id, package) VALUES (?, ?)", (renewal_id, package_id))

    def find_renewal(self, renewal_id: str) -> str | None:
        """Return the package id of this case-sensitive renewal id, or None."""
        rows = self.rows("SELECT package FROM renewal WHERE id = ?", (renewal_id,))
        return str(rows[0][0]) if rows else None

    def packages(self, *, status: str | None = None) -> list[Package]:
        """Return all packages, or those in one status, oldest first."""
        rows = self.rows(
            "SELECT document FROM package WHERE ? IS NULL OR status = ? ORDER BY number",
            (status, status),
        )
        return [_package(row) for row in rows]

    def count_bookings(self, partner: str) -> int:
        """Return the number of bookings in the list."""
        rows = self.rows(
            "SELECT count(*) FROM package WHERE partner = ? "
            "AND status IN ('CONFIRMED', 'CANCELLED')",
            (partner,),
        )
        return int(rows[0][0])

    def bookings(self, partner: str, *, limit: int, offset: int) -> list[Package]:
        """Return one page of the partner's confirmed and cancelled bookings, oldest first."""
        rows = self.rows(
            "SELECT document FROM package WHERE partner = ? "
            "AND status IN ('CONFIRMED', 'CANCELLED') ORDER BY number LIMIT ? OFFSET ?",
            (partner, limit, offset),
        )
        return [_package(row) for row in rows]

    def setting(self, name: str) -> str | None:
        """Return a stored setting, or None."""
        rows = self.rows("SELECT value FROM setting WHERE name = ?", (name,))
        return rows[0][0] if rows else None

    def save_setting(self, name: str, value: str) -> None:
        """Store a setting."""
        self.rows("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", (name, value))


def _package(row: tuple[Any, ...]) -> Package:
    return Package.from_document(from_store(row[0]))
