"""`manage.py xcover_work`: a worker and a schedule for shops without Celery."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from django_xcover import safe_logging, tasks
from django_xcover.models import Heartbeat
from django_xcover.outbox import runners
from django_xcover.tracebacks import clears_frames

logger = safe_logging.get_logger("django_xcover.worker")

# Seconds between two passes. A shopper who has paid waits that long for the policy, and for what is
# under way: reconciling takes up to RECONCILE_SECONDS per account. A pass without work is cheap.
PAUSE = 10.0
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
# The least time between two runs, as beat's schedule in docs/installation.md has it. Bookings come
# first, and what may take minutes comes last.
SCHEDULE: tuple[tuple[Callable[[], None], timedelta], ...] = (
    (tasks.sweep_operations, timedelta()),
    (tasks.sweep_webhooks, timedelta()),
    (tasks.sweep_instalments, 10 * MINUTE),
    (tasks.count_offers, HOUR),
    (tasks.sweep_unpaid, DAY),
    (tasks.forget_webhooks, DAY),
    (tasks.forget_personal_data, DAY),
    (tasks.find_due_renewals, DAY),
    (tasks.reconcile, HOUR),
)


class Command(BaseCommand):
    """Run due operations and webhooks, and the periodic tasks whose time has come.

    Any number may run at once: a row is worked on by one process at a time.
    """

    help = (
        "Books, cancels and renews cover, processes webhooks and runs the periodic tasks, without "
        "Celery. Runs until it is stopped, or does one pass with --once, which cron can start "
        "every minute."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add --once."""
        parser.add_argument("--once", action="store_true", help="do one pass and exit")

    @clears_frames
    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or Ctrl-C; the task under way is finished first."""
        stopped = threading.Event()
        if options["once"]:
            work(stopped)
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        self.stdout.write("Working. Press Ctrl-C to stop.")
        while not stopped.is_set():
            close_old_connections()
            work(stopped)
            stopped.wait(PAUSE)


def work(stopped: threading.Event) -> None:
    """Run everything that is due; a task that fails is logged and doesn't stop the others."""
    for task, interval in SCHEDULE:
        if stopped.is_set():
            return
        with runners.collecting() as waiting:
            _run(task, interval)
            while waiting and not stopped.is_set():
                one, pk = waiting.popleft()
                _run(one, timedelta(), pk)


def _is_due(task: Callable[[], None], interval: timedelta) -> bool:
    """Return whether the task's time has come, to one process only."""
    if not interval:
        return True
    now = timezone.now()
    row, is_new = Heartbeat.objects.get_or_create(name=task.__name__, defaults={"at": now})
    # A time in the future was written by a wrong clock.
    if not is_new and now - interval < row.at <= now:
        return False
    return is_new or bool(Heartbeat.objects.filter(pk=row.pk, at=row.at).update(at=now))


def _run(task: Callable[..., None], interval: timedelta, *args: int) -> None:
    try:
        # Inside, because a database that is away for a moment must not end the process.
        if _is_due(task, interval):
            task(*args)
    except Exception as error:  # noqa: BLE001 - it is tried again
        problem = safe_logging.describe(error)
        logger.error("%s has failed: %s", task.__name__, problem)  # noqa: TRY400
        with suppress(DatabaseError):
            # A day is too long to wait. The sweeps run in the next pass.
            again = timezone.now() - max(interval - HOUR, timedelta())
            Heartbeat.objects.filter(name=task.__name__).update(at=again)
