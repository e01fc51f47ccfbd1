"""Empties the database after a test that commits, without Django's long way round.

`flush` deletes from every table, which PostgreSQL truncates, and makes all content types and
permissions anew. A test fills a few tables, and hardly any touches those two.
"""

from __future__ import annotations

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.test import TransactionTestCase

MADE_BY_MIGRATE = (ContentType, Permission)
flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
_made: dict[str, object] = {}


def empty(case: TransactionTestCase) -> None:
    """Do what `flush` does, but only where rows are."""
    aliases = case._databases_names(include_mirrors=False)  # type: ignore[attr-defined]
    if all(_made.get(alias) == _made_in(alias) for alias in aliases):
        for alias in aliases:
            _empty(alias)
    else:  # the first time, and after a test that changed what `migrate` made
        flush(case)
        _made.update({alias: _made_in(alias) for alias in aliases})


def _made_in(alias: str) -> object:
    return [list(model.objects.using(alias).order_by("pk").values()) for model in MADE_BY_MIGRATE]


def _empty(alias: str) -> None:
    connection = connections[alias]
    kept = {model._meta.db_table for model in MADE_BY_MIGRATE}
    names = sorted(set(connection.introspection.django_table_names()) - kept)
    tables = [connection.ops.quote_name(name) for name in names]
    has_rows = [f"EXISTS(SELECT 1 FROM {table})" for table in tables]  # noqa: S608 - models' names
    with connection.cursor() as cursor, connection.constraint_checks_disabled():
        cursor.execute(f"SELECT {', '.join(has_rows)}")
        to_empty = [name for name, rows in zip(tables, cursor.fetchone(), strict=True) if rows]
        with transaction.atomic(using=alias):
            for table in to_empty:
                cursor.execute(f"DELETE FROM {table}")  # noqa: S608
