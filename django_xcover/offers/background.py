"""Run work that a shopper doesn't wait for in threads of this process.

A shop may have no Celery worker, and a broker must not carry the contents of a cart. So the web
process that received the request does the work, in at most `XCOVER["OFFER_THREADS"]` threads. A
process that exits waits for its threads; each has a deadline.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from importlib import import_module

from django.db import connections, router, transaction

from django_xcover import safe_logging
from django_xcover.conf import get_config
from django_xcover.models import QuotePackage

logger = safe_logging.get_logger("django_xcover.offers")

_lock = threading.Lock()
_running: set[threading.Thread] = set()


def is_possible() -> bool:
    """Return whether the caller may start threads.

    False inside a transaction: another thread doesn't see the uncommitted rows, and its own writes
    survive a rollback. Django's TestCase runs tests in a transaction, too.
    """
    alias = router.db_for_write(QuotePackage)
    if get_config().offer_threads == 0 or transaction.get_connection(alias).in_atomic_block:
        return False
    return _threads_run()


def start(work: Callable[[], object], *, share: float = 1.0) -> threading.Thread | None:
    """Run `work` in a new thread; return None if all threads are busy.

    With a `share` below 1, the rest of the threads is left to other work: None is returned as soon
    as that share of them is busy. At least one thread may be used.
    """
    most = max(1, int(get_config().offer_threads * share))
    # The thread gets the request's context: request ids for logs, the active language.
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(_run, work), name="xcover-quote")
    with _lock:
        if len(_running) >= most:
            return None
        _running.add(thread)
    try:
        thread.start()
    except RuntimeError:  # the system has no more threads, or the interpreter is shutting down
        with _lock:
            _running.discard(thread)
        return None
    return thread


def _run(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception as error:  # noqa: BLE001 - its text and variables quote the customer's input
        problem = safe_logging.describe(error)
        logger.error("A thread for offers has failed: %s", problem)  # noqa: TRY400
    finally:
        # Django closes the connections of requests, not those of other threads.
        connections.close_all()
        with _lock:
            _running.discard(threading.current_thread())


def _threads_run() -> bool:
    """Return False under uWSGI without --enable-threads, where a thread never gets to run."""
    try:
        uwsgi = import_module("uwsgi")  # it exists only inside that server
    except ImportError:
        return True
    return bool({"enable-threads", "threads"} & set(uwsgi.opt))


def _forget() -> None:
    """Reset the state in a forked process, which doesn't have its parent's threads."""
    global _lock  # noqa: PLW0603 - the parent may have held it
    _lock = threading.Lock()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
