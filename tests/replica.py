"""A shop that reads from a replica that lags so far behind that nothing in it may be believed."""

from __future__ import annotations

from typing import Any

from django.db.models import Model


class FarBehind:
    """Send reads to a replica and writes to the database itself.

    The replica is a dummy, so that each read of it is an error and not merely an old row.
    """

    def db_for_read(self, model: type[Model], **hints: Any) -> str | None:
        return "replica" if model._meta.app_label == "xcover" else None

    def db_for_write(self, model: type[Model], **hints: Any) -> str:
        return "default"

    def allow_relation(self, *rows: Model, **hints: Any) -> bool:
        return True
