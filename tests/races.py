"""Races between real connections, each interleaving made by hand."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

# Seconds. Only a test that fails waits so long.
PATIENCE = 30.0


def together(*calls: Callable[[], Any]) -> list[Any]:
    """Make the calls in threads that start at the same moment; return what each returned."""
    barrier = threading.Barrier(len(calls))
    results: list[Any] = [None] * len(calls)

    def call(index: int) -> None:
        barrier.wait()
        try:
            results[index] = calls[index]()
        except Exception as error:  # noqa: BLE001 - handed to the test
            results[index] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=call, args=(index,)) for index in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@contextmanager
def meanwhile(call: Callable[[], Any]) -> Iterator[list[Any]]:
    """Make `call` on a connection of its own, and wait for it at the end of the block.

    The block begins when the call waits for a lock of the caller's transaction, or has returned.
    So what the call reads without a lock is always what stood there before that transaction.
    """
    results: list[Any] = []

    def run() -> None:
        try:
            results.append(call())
        except Exception as error:  # noqa: BLE001 - handed to the test
            results.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    _await_lock(thread)
    yield results
    thread.join()


def _await_lock(thread: threading.Thread) -> None:
    """Wait until `thread` is blocked by the database, as far as this database can tell."""
    if connection.vendor != "postgresql":
        return
    until = time.monotonic() + PATIENCE
    while thread.is_alive() and not _is_anyone_blocked():
        assert time.monotonic() < until, "it neither returned nor waited for a lock"
        thread.join(0.01)


def _is_anyone_blocked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
            " WHERE NOT granted AND datname = current_database()"
        )
        return bool(cursor.fetchone()[0])
