"""How far the operation is that carries out what a person asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from django_xcover.admin.badges import state_badge
from django_xcover.admin.columns import last_error
from django_xcover.admin.links import may_view, page_url
from django_xcover.models import Operation, OperationState
from django_xcover.services.next_steps import operation_name
from django_xcover.services.operations import OVERDUE

MOVING = (OperationState.PENDING, OperationState.RUNNING)
# Somebody is watching at first; later the page only keeps itself from being out of date.
SOON, LATER = 3, 20
A_WHILE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """An operation as the page of its workflow shows it.

    `url` and `error` are "" for those who may not see operations.
    """

    name: str
    state: SafeString
    error: str
    url: str


def progress_of(request: HttpRequest, operation: Operation) -> Progress:
    """Return how far `operation` is."""
    seen = may_view(request, operation)
    return Progress(
        name=operation_name(operation),
        state=state_badge(operation),
        error=last_error(operation) if seen and operation.error else "",
        url=page_url(operation) if seen else "",
    )


def reload_after(operation: Operation) -> int:
    """Return after how many seconds the page should be loaded again, 0 for never."""
    age = timezone.now() - operation.updated_at
    if operation.state not in MOVING or age > OVERDUE:
        return 0
    return SOON if age < A_WHILE else LATER
