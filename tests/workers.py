"""Workers that die, and the time after which others take over."""

from __future__ import annotations

from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import worker
from django_xcover.clients import factory
from django_xcover.mirror import packages
from django_xcover.models import Operation
from django_xcover.outbox import operations

MOMENTS: dict[str, tuple[ModuleType, str]] = {
    "before the call": (factory, "client_for"),
    "after the call": (operations, "finish"),
    "while applying": (packages, "apply_answer"),
}


class Killed(BaseException):
    """The end of a worker's process: nothing catches it."""


def dies(operation: Operation, moment: str) -> None:
    """Let a worker take the operation and die at one of MOMENTS."""

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    module, name = MOMENTS[moment]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, name, die)
        with pytest.raises(Killed):
            worker.run(operation.pk)


def let_time_pass() -> None:
    """Let every operation be due, and every lease be over."""
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )
