"""A manager that reads rows from the database they are written to, and conditions on leases.

A replica can be seconds behind, so a premium, payment or refund read from it may be outdated.
Nearly every read in this package decides about one of them, so none uses the shop's `db_for_read`.
Code that only displays rows can still call `using("replica")`. The manager is also each model's
base manager, for relations and `refresh_from_db`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models, router
from django.db.models import Q

ModelT = TypeVar("ModelT", bound=models.Model)


class WriterManager(models.Manager[ModelT]):
    """Read from the database that `db_for_write` returns."""

    if TYPE_CHECKING:
        _hints: dict[str, Any]

    def get_queryset(self) -> models.QuerySet[ModelT]:
        rows = super().get_queryset()
        return rows if self._db else rows.using(router.db_for_write(self.model, **self._hints))


# A worker leases a row for XCOVER["OPERATION_LEASE"], which the system checks keep below this, and
# no attempt is planned more than a day ahead. Later times were written by a clock that ran fast.
LONGEST_LEASE = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=25)


def lapsed(field: str, now: datetime) -> Q:
    """Return the condition that the lease in `field` has expired, or is too long to be valid."""
    return Q(**{f"{field}__lt": now}) | Q(**{f"{field}__gt": now + LONGEST_LEASE})


def due(field: str, now: datetime) -> Q:
    """Return the condition that the time in `field` has come, or is too far ahead to be valid."""
    return Q(**{f"{field}__lte": now}) | Q(**{f"{field}__gt": now + LONGEST_WAIT})
