"""Send work to a broker without waiting for the broker."""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable

from django.db import connections

from django_xcover import safe_logging

logger = safe_logging.get_logger("django_xcover.outbox")

BACKLOG = 1000
LAST_CHANCE = 1.0  # seconds that an exiting process waits for the remaining messages


class Publisher:
    """Calls `send(pk)` for each offered primary key, in order, in a thread of its own.

    An unreachable or silent broker blocks a publish for seconds, and a silent Redis indefinitely
    (measured with Celery 5.7: 4 to 6 s, and no end within 40 s). Shoppers must not wait for that.
    An unpublished operation is not lost: the sweeper finds the row.
    """

    def __init__(self, send: Callable[[int], object], *, what: str = "Operation") -> None:
        """Publish with `send`; `what` names the kind of row in the log."""
        self._send = send
        self.what = what
        self._pid = 0
        self._waiting: queue.Queue[int] = queue.Queue(BACKLOG)
        self._renew_lock()
        if hasattr(os, "register_at_fork"):  # nothing forks on Windows
            os.register_at_fork(after_in_child=self._renew_lock)

    def offer(self, pk: int) -> bool:
        """Queue `pk` to be sent and return at once; return False if the queue is full."""
        with self._lock:
            self._ensure_thread()
            try:
                self._waiting.put_nowait(pk)
            except queue.Full:
                return False
        return True

    def flush(self, seconds: float = LAST_CHANCE) -> bool:
        """Wait until the queue is sent, for at most `seconds`; return whether it is."""
        if self._pid != os.getpid():
            return True  # nothing was queued here, and the queue's lock may be the parent's
        end = time.monotonic() + seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._waiting.all_tasks_done.wait(left)
        return True

    def _ensure_thread(self) -> None:
        # A fork copies no threads, so the child starts its own with a new queue.
        if self._pid == os.getpid():
            return
        waiting: queue.Queue[int] = queue.Queue(BACKLOG)
        thread = threading.Thread(
            target=self._work, args=(waiting,), name="xcover-publisher", daemon=True
        )
        thread.start()
        self._waiting, self._pid = waiting, os.getpid()
        atexit.register(self.flush)

    def _renew_lock(self) -> None:
        # A thread of the parent may have held the lock, and no thread of the child releases it.
        self._lock = threading.Lock()

    def _work(self, waiting: queue.Queue[int]) -> None:
        while True:
            pk = waiting.get()
            try:
                self._send(pk)
            except Exception as error:  # noqa: BLE001 - the sweeper retries, whatever failed
                name = type(error).__name__
                said = "%s %s was not published (%s): the sweeper will."
                logger.warning(said, self.what, pk, name)
            finally:
                # A runner that stores its tasks in the database connects from this thread.
                connections.close_all()
                waiting.task_done()
