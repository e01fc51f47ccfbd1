"""Which status may follow which, and the one function that changes one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db.models import Model, Q

from django_xcover.models import OperationState, Status

logger = logging.getLogger(__name__)

# Quotes API, 18.2 (transitions). OPTED_OUT ends a package: booking it afterwards is not documented.
ALLOWED: Mapping[str, frozenset[str]] = {
    Status.RECEIVED: frozenset(
        {
            Status.CONFIRMED,
            Status.PENDING_PAYMENT,
            Status.OPTED_OUT,
            Status.FAILED,
            Status.DELETED,
            Status.CANCELLED,
        }
    ),
    Status.PENDING_PAYMENT: frozenset({Status.CONFIRMED, Status.CANCELLED, Status.FAILED}),
    Status.CONFIRMED: frozenset({Status.CANCELLED, Status.RENEWED}),
    Status.CANCELLED: frozenset(),
    Status.RENEWED: frozenset(),
    Status.OPTED_OUT: frozenset(),
    Status.FAILED: frozenset(),
    Status.DELETED: frozenset(),
    OperationState.PENDING: frozenset({OperationState.RUNNING, OperationState.DISCARDED}),
    OperationState.RUNNING: frozenset(
        {
            OperationState.RUNNING,
            OperationState.PENDING,
            OperationState.DONE,
            OperationState.NEEDS_PERSON,
            OperationState.DISCARDED,
        }
    ),
    OperationState.NEEDS_PERSON: frozenset({OperationState.PENDING, OperationState.DISCARDED}),
    OperationState.DONE: frozenset(),
    OperationState.DISCARDED: frozenset(),
}


def may_follow(before: str, after: str) -> bool:
    """Return whether `after` may follow `before`.

    XCover may send statuses that nobody has documented: such a one may follow and be followed by
    anything but what is final.
    """
    if before not in ALLOWED:
        return True
    return after in ALLOWED[before] or (after not in ALLOWED and bool(ALLOWED[before]))


def move(row: Model, to: str, *, field: str = "status", only: Q | None = None, **also: Any) -> bool:
    """Set `field` of `row` to `to` by compare-and-set and return whether this call did it.

    `only` adds a condition and `also` more columns. A move that is illegal, or that somebody else
    made first, is logged and changes nothing.
    """
    before = getattr(row, field)
    if not may_follow(before, to):
        logger.warning("%s %s: %s cannot follow %s.", row._meta.label, row.pk, to, before)
        return False
    rows = type(row)._default_manager.filter(only or Q(), pk=row.pk, **{field: before})
    if not rows.update(**{field: to}, **also):
        logger.info("%s %s: somebody else moved it on from %s.", row._meta.label, row.pk, before)
        return False
    for name, value in {field: to, **also}.items():
        setattr(row, name, value)
    return True
