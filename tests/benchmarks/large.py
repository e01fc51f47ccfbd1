"""A million policies against ten thousand, on PostgreSQL: what must not grow with the shop.

Both live in one database, in schemas of their own, so that they are timed in turn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Model
from django.test import Client, override_settings
from django.test.utils import setup_test_environment, teardown_test_environment
from django.utils import timezone

from django_xcover.models import Operation, OperationKind, OperationState, Quote, QuotePackage
from django_xcover.services import operations
from tests.admin.factories import make_package, make_quote
from tests.benchmarks.timing import Figure, compare

SMALL, LARGE = 10_000, 1_000_000
SCHEMAS = {"small": SMALL, "large": LARGE}
# What is to be done is as much in a large shop as in a small one, when all is well.
DUE, STOPPED = 50, 20
LISTS = ("quotepackage", "policy", "operation")
Overrides = dict[str, str]
PACKAGES: Overrides = {
    "id": "g",
    "package_id": "'P' || g || '-INS'",
    "order_reference": "'ORD-' || g",
    "cart_reference": "'cart-' || g",
    "policyholder_email": "'c' || g || '@example.com'",
    "created_at": "now() - g * interval '1 minute'",
}
QUOTES: Overrides = {"id": "g", "package_id": "g", "quote_id": "'q-' || g"}
OPERATIONS: Overrides = {
    "id": "g",
    "package_id": "g",
    "idempotency_key": "gen_random_uuid()::text",
    "state": f"CASE WHEN g <= {DUE} THEN 'pending' WHEN g <= {DUE + STOPPED}"
    " THEN 'needs_person' ELSE 'done' END",
}


def measure(*, rounds: int) -> list[Figure]:
    """Return the figures; PostgreSQL only."""
    with _database():
        template = _template()
        for schema, count in SCHEMAS.items():
            _fill(schema, count, template)
        client = Client()
        client.force_login(User.objects.create_superuser("root"))
        with override_settings(DEBUG=False), mock.patch.object(operations, "announce"):
            return [_sweep(rounds), *(_list(client, name, rounds) for name in LISTS)]


def _sweep(rounds: int) -> Figure:
    return _in_both("sweeper, 1,000,000 operations / 10,000", _sweep_once, rounds)


def _sweep_once() -> None:
    if len(operations.sweep()) != DUE:
        raise RuntimeError("the sweeper found other operations than those that are due")


def _list(client: Client, name: str, rounds: int) -> Figure:
    def look() -> None:
        response = client.get(f"/admin/xcover/{name}/")
        if response.status_code != 200:
            raise RuntimeError(f"the list of {name} answered {response.status_code}")

    return _in_both(f"admin's list of {name}, 1,000,000 / 10,000", look, rounds)


def _in_both(name: str, call: Callable[[], None], rounds: int) -> Figure:
    def among(schema: str) -> Callable[[], None]:
        def act() -> None:
            _look_into(schema)
            call()

        return act

    return compare(name, among("large"), among("small"), rounds=rounds)


def _look_into(schema: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET search_path TO {schema}, public")


def _template() -> dict[type[Model], Overrides]:
    """Make one row of each table, of which the others are copies."""
    now = timezone.now()
    package = make_package(status="CONFIRMED", booked_at=now, payload={"text": "x" * 500})
    quote = make_quote(package, payload={"text": "x" * 1500})
    Operation.objects.create(package=package, kind=OperationKind.BOOK, state=OperationState.DONE)
    _ = quote
    return {QuotePackage: PACKAGES, Quote: QUOTES, Operation: OPERATIONS}


def _fill(schema: str, count: int, template: dict[type[Model], Overrides]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA {schema}")
        cursor.execute(
            "SELECT tablename FROM pg_tables"
            " WHERE schemaname = 'public' AND tablename LIKE 'xcover%'"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"CREATE TABLE {schema}.{table} (LIKE public.{table} INCLUDING ALL)")
        for model, overrides in template.items():
            cursor.execute(_copies(schema, count, model, overrides))
            cursor.execute(f"VACUUM ANALYZE {schema}.{model._meta.db_table}")


def _copies(schema: str, count: int, model: type[Model], overrides: Overrides) -> str:
    table = model._meta.db_table
    columns = [str(field.column) for field in model._meta.concrete_fields]
    values = ", ".join(overrides.get(name, f"t.{name}") for name in columns)
    return (
        f"INSERT INTO {schema}.{table} ({', '.join(columns)}) SELECT {values} "  # noqa: S608
        f"FROM public.{table} t, generate_series(1, {count}) g"
    )


@contextmanager
def _database() -> Iterator[None]:
    if connection.vendor != "postgresql":
        raise SystemExit("The large figures need XCOVER_DATABASE=postgresql.")
    setup_test_environment()
    name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = f"large_{os.getpid()}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()
