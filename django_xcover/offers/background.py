"""Threads of this process for what a shopper does not wait for.

A shop may have no Celery worker, and a broker must not carry what a cart holds. So the work is done
in the web process that was asked, by at most `XCOVER["OFFER_THREADS"]` threads. A process that
ends waits for them: each has a deadline.
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
    """Return whether threads may be used here.

    Not inside a transaction: another thread sees nothing of it, and what it writes stays when the
    transaction is rolled back. That is also how Django's TestCase runs tests.
    """
    alias = router.db_for_write(QuotePackage)
    if get_config().offer_threads == 0 or transaction.get_connection(alias).in_atomic_block:
        return False
    return _threads_run()


def start(work: Callable[[], object]) -> threading.Thread | None:
    """Run `work` in a thread of its own; return None when all of them are busy."""
    # With the request's context: request ids in logs, the active language.
    context = contextvars.copy_context()
    thread = threading.Thread(target=lambda: context.run(_run, work), name="xcover-quote")
    with _lock:
        if len(_running) >= get_config().offer_threads:
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
    except Exception as error:  # noqa: BLE001 - its text and variables quote what was typed
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
    """Start afresh in a forked process: the threads of its parent are not in it."""
    global _lock  # noqa: PLW0603 - the parent may have held it
    _lock = threading.Lock()
    _running.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
