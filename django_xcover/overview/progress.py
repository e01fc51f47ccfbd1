"""How far an operation is, for the person who asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Model

from django_xcover.models import Operation, OperationKind, OperationState, QuotePackage

WAITING = (OperationState.PENDING, OperationState.RUNNING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """`waiting`: it is worth looking again. `stuck`: nothing but a person can move it.

    `asked_at` is when it was asked for, None when it was not.
    """

    waiting: bool = False
    stuck: bool = False
    asked_at: datetime | None = None


def progress_of(package: QuotePackage, kind: OperationKind, workflow: Model) -> Progress:
    """Return how far the operation of `kind` is that carries out the workflow row."""
    rows = Operation.objects.filter(package=package, kind=kind, subject=str(workflow.pk))
    operation = rows.first()
    if operation is None:
        return Progress()
    return Progress(
        waiting=operation.state in WAITING,
        stuck=operation.state == OperationState.NEEDS_PERSON,
        asked_at=operation.created_at,
    )
