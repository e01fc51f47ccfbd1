"""Where the rows are read: in the database that they are written to.

A replica may be seconds behind. Whatever it says of a premium, a payment or a refund may be wrong
by then, and nearly every read of this package ends up deciding about one of them: so none is left
to the shop's `db_for_read`. A caller that only shows rows may still say `using("replica")`. Each
model has this manager also as its base manager, for relations and `refresh_from_db`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models, router
from django.db.models import Q

ModelT = TypeVar("ModelT", bound=models.Model)


class WriterManager(models.Manager[ModelT]):
    """Read from the database that `db_for_write` names."""

    if TYPE_CHECKING:
        _hints: dict[str, Any]

    def get_queryset(self) -> models.QuerySet[ModelT]:
        rows = super().get_queryset()
        return rows if self._db else rows.using(router.db_for_write(self.model, **self._hints))


# A worker holds a row for XCOVER["OPERATION_LEASE"], which the checks keep below this, and nothing
# is planned for later than a day ahead. What lies beyond was written by a clock that ran ahead.
LONGEST_LEASE = timedelta(hours=1)
LONGEST_WAIT = timedelta(hours=25)


def lapsed(field: str, now: datetime) -> Q:
    """Return the condition that the lease in `field` is over, or longer than any lease can be."""
    return Q(**{f"{field}__lt": now}) | Q(**{f"{field}__gt": now + LONGEST_LEASE})


def due(field: str, now: datetime) -> Q:
    """Return the condition that the moment in `field` has come, or was never meant."""
    return Q(**{f"{field}__lte": now}) | Q(**{f"{field}__gt": now + LONGEST_WAIT})
