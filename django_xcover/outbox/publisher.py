"""Handing work to a broker without waiting for the broker."""

from __future__ import annotations

import atexit
import os
import queue
import threading
import time
from collections.abc import Callable

from django_xcover import safe_logging

logger = safe_logging.get_logger("django_xcover.outbox")

BACKLOG = 1000
LAST_CHANCE = 1.0  # seconds a process that ends gives what is still to be published


class Publisher:
    """Calls `send(pk)` for each offered primary key, in order, in a thread of its own.

    A broker that is away or silent holds a publish for seconds, and one that is silent behind
    Redis for as long as it likes (measured with Celery 5.7: 4 to 6 s, and no end within 40 s). No
    shopper waits for that. What is not published is not lost: the sweeper finds the row.
    """

    def __init__(self, send: Callable[[int], object], *, what: str = "Operation") -> None:
        """Take the call that publishes, and what its primary keys are those of, for the log."""
        self._send = send
        self._what = what
        self._pid = 0
        self._waiting: queue.Queue[int] = queue.Queue(BACKLOG)
        self._renew_lock()
        if hasattr(os, "register_at_fork"):  # nothing forks on Windows
            os.register_at_fork(after_in_child=self._renew_lock)

    def offer(self, pk: int) -> bool:
        """Take `pk` to be sent soon and return at once; False when too many wait already."""
        with self._lock:
            self._ensure_thread()
            try:
                self._waiting.put_nowait(pk)
            except queue.Full:
                return False
        return True

    def flush(self, seconds: float = LAST_CHANCE) -> bool:
        """Wait until all is sent, for so many seconds at most; return whether it is."""
        if self._pid != os.getpid():
            return True  # nothing was offered here, and the queue's lock may be a parent's
        end = time.monotonic() + seconds
        with self._waiting.all_tasks_done:
            while self._waiting.unfinished_tasks:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                self._waiting.all_tasks_done.wait(left)
        return True

    def _ensure_thread(self) -> None:
        # A fork takes no threads along: the child starts its own, with a queue of its own.
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
        # Another thread of the parent's may have held it, and none of the child's would release it.
        self._lock = threading.Lock()

    def _work(self, waiting: queue.Queue[int]) -> None:
        while True:
            pk = waiting.get()
            try:
                self._send(pk)
            except Exception as error:  # noqa: BLE001 - the sweeper makes up for whatever it is
                name = type(error).__name__
                said = "%s %s was not published (%s): the sweeper will."
                logger.warning(said, self._what, pk, name)
            finally:
                waiting.task_done()
