"""Where the rows are read: in the database that they are written to.

A replica may be seconds behind. Whatever it says of a premium, a payment or a refund may be wrong
by then, and nearly every read of this package ends up deciding about one of them: so none is left
to the shop's `db_for_read`. A caller that only shows rows may still say `using("replica")`. Each
model has this manager also as its base manager, for relations and `refresh_from_db`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from django.db import models, router

ModelT = TypeVar("ModelT", bound=models.Model)


class WriterManager(models.Manager[ModelT]):
    """Read from the database that `db_for_write` names."""

    if TYPE_CHECKING:
        _hints: dict[str, Any]

    def get_queryset(self) -> models.QuerySet[ModelT]:
        rows = super().get_queryset()
        return rows if self._db else rows.using(router.db_for_write(self.model, **self._hints))
