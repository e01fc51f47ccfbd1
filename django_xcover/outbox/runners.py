"""Hand a task to what runs it: Celery, Django's tasks framework, or `manage.py xcover_work`.

`XCOVER["RUNNER"]` selects one. A task that never arrives loses nothing with any of them: its row
stays due, and the next sweep finds it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from celery import Task, current_app

from django_xcover.conf import get_config

CELERY, DJANGO_TASKS, COMMAND = "celery", "django_tasks", "command"
RUNNERS = (CELERY, DJANGO_TASKS, COMMAND)

# A string, because the classes of older versions of Celery are not subscriptable.
OneRow: TypeAlias = "Task[[int], None]"
_collected: ContextVar[deque[tuple[OneRow, int]] | None] = ContextVar("tasks", default=None)


def send(task: OneRow, pk: int) -> None:
    """Have `task(pk)` run in a worker. May wait for a broker, and raises what the broker raises."""
    waiting = _collected.get()
    runner = get_config().runner
    if waiting is not None:
        waiting.append((task, pk))
    elif runner == CELERY:
        task.apply_async((pk,), retry=False)
    elif runner == DJANGO_TASKS:
        from django_xcover.outbox.django_tasks import run_task  # noqa: PLC0415 - Django 6.0

        run_task.enqueue(task.name, pk)


def may_wait() -> bool:
    """Return whether `send` may wait for a broker. A shopper's request must not call it then."""
    if _collected.get() is not None or get_config().runner == COMMAND:
        return False
    return not runs_at_once()


def runs_at_once() -> bool:
    """Return whether `send` runs the task itself, as tests configure it."""
    runner = get_config().runner
    if runner == CELERY:
        return bool(current_app.conf.task_always_eager)
    if runner == COMMAND:
        return False
    from django.tasks import task_backends  # noqa: PLC0415 - needs Django 6.0
    from django.tasks.backends.immediate import ImmediateBackend  # noqa: PLC0415

    backend: Any = task_backends["default"]
    return isinstance(backend, ImmediateBackend)


@contextmanager
def collecting() -> Iterator[deque[tuple[OneRow, int]]]:
    """Collect what this thread sends, for a caller that runs it."""
    waiting: deque[tuple[OneRow, int]] = deque()
    token = _collected.set(waiting)
    try:
        yield waiting
    finally:
        _collected.reset(token)
