"""A thread that runs jobs at a given time."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

logger = logging.getLogger("django_xcover.sandbox")
Job = Callable[[], object]


class Scheduler:
    """Runs jobs one at a time, none before its time. The thread starts with the first job."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._numbers = itertools.count()
        self._jobs: list[tuple[float, int, Job]] = []
        self._busy = False
        self._stopped = False
        self._thread: threading.Thread | None = None

    def add(self, job: Job, *, delay: float = 0) -> None:
        """Run the job after `delay` seconds. Does nothing once the scheduler has stopped."""
        with self._changed:
            if self._stopped:
                return
            heapq.heappush(self._jobs, (time.monotonic() + delay, next(self._numbers), job))
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="xcover-webhooks", daemon=True
                )
                self._thread.start()
            self._changed.notify_all()

    def wait(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds until all jobs are done. Return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def stop(self) -> None:
        """Discard the remaining jobs and end the thread."""
        with self._changed:
            self._stopped = True
            self._jobs.clear()
            self._changed.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except Exception:
                logger.exception("A job of the sandbox's scheduler failed.")
            with self._changed:
                self._busy = False
                self._changed.notify_all()

    def _next(self) -> Job | None:
        with self._changed:
            while not self._stopped:
                pause = self._jobs[0][0] - time.monotonic() if self._jobs else None
                if pause is not None and pause <= 0:
                    self._busy = True
                    return heapq.heappop(self._jobs)[2]
                self._changed.wait(pause)
            return None
