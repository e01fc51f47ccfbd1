"""The progress of an operation, for the person who requested it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from django_xcover.models import Operation, OperationKind, OperationState, QuotePackage

WAITING = (OperationState.PENDING, OperationState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`waiting`: the page should refresh. `stuck`: the operation needs a person.

    `asked_at` is when it was requested, None if it wasn't.
    """

    waiting: bool = False
    stuck: bool = False
    asked_at: datetime | None = None


def progress_of(package: QuotePackage, kind: OperationKind, workflow: Model) -> Progress:
    """Return the progress of the operation of `kind` that carries out `workflow`."""
    rows = Operation.objects.filter(package=package, kind=kind, subject=str(workflow.pk))
    operation = rows.first()
    if operation is None:
        return Progress()
    return Progress(
        waiting=operation.state in WAITING,
        stuck=operation.state == OperationState.NEEDS_PERSON,
        asked_at=operation.created_at,
    )
