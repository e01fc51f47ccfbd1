"""SQLite made as strict as the others, in this process: no text, number or JSON that one refuses.

PostgreSQL refuses NUL and half characters, long texts and large numbers; MariaDB deep JSON. SQLite
keeps all of it. A run on a real PostgreSQL finds the same and takes a multiple of the time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import DataError
from django.db.models import CharField, Field, IntegerField, JSONField, PositiveSmallIntegerField

DEEPEST = 32


@contextmanager
def as_strict_as_any() -> Iterator[None]:
    """Refuse with DataError what PostgreSQL or MariaDB would refuse, wherever it is saved."""
    save = Field.get_db_prep_save

    def checked(self: Any, value: Any, connection: Any) -> Any:
        for kind, check in CHECKS.items():
            if value is not None and isinstance(self, kind):
                check(self, value)
        return save(self, value, connection)

    def checked_json(self: Any, value: Any, connection: Any) -> Any:
        _json(self, value)
        return save_json(self, value, connection)

    save_json = JSONField.get_db_prep_save
    with (
        mock.patch.object(Field, "get_db_prep_save", checked),
        mock.patch.object(JSONField, "get_db_prep_save", checked_json),
    ):
        yield


def _text(field: Any, value: Any) -> None:
    if not isinstance(value, str):
        return
    _keepable(field, value)
    if field.max_length is not None and len(value) > field.max_length:
        raise DataError(f"{field} is {len(value)} characters long")


def _integer(field: Any, value: Any) -> None:
    limit = 2**15 if isinstance(field, PositiveSmallIntegerField) else 2**63
    if isinstance(value, int) and not -limit < value < limit:
        raise DataError(f"{field} is out of range")


def _json(field: Any, value: Any) -> None:
    written = json.loads(json.dumps(value, cls=field.encoder))
    level = [written]
    for _ in range(DEEPEST):
        level = [item for outer in level for item in _inner(field, outer)]
    if level:
        raise DataError(f"{field} is nested too deeply")


def _inner(field: Any, value: Any) -> list[Any]:
    if isinstance(value, str):
        _keepable(field, value)
    if isinstance(value, float) and value in {float("inf"), float("-inf")}:
        raise DataError(f"{field} holds an infinity")
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


def _keepable(field: Any, value: str) -> None:
    value.encode()
    if "\0" in value:
        raise DataError(f"{field} holds NUL")


CHECKS: dict[type[Field[Any, Any]], Callable[[Any, Any], None]] = {
    CharField: _text,
    IntegerField: _integer,
}
