"""How PostgreSQL answers the queries of a look, and how many rows it reads for them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext


def queries(act: Callable[[], object]) -> list[str]:
    """Return the SQL of our tables' queries that `act` makes."""
    with CaptureQueriesContext(connection) as captured:
        act()
    found = [str(query["sql"]) for query in captured.captured_queries]
    return [sql for sql in found if sql.startswith("SELECT") and '"xcover_' in sql]


def explain(sql: str) -> str:
    """Return the plan in words, with the times and rows of carrying it out."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {sql}")
        return "\n".join(str(row[0]) for row in cursor.fetchall())


def rows_read(sql: str) -> dict[str, int]:
    """Return how many rows of each of our tables are read, those that a filter drops included."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        found = cursor.fetchone()[0]
    (plan,) = json.loads(found) if isinstance(found, str) else found
    read: dict[str, int] = {}
    for node in _nodes(plan["Plan"]):
        table = node.get("Relation Name", "")
        if table.startswith("xcover_"):
            read[table] = read.get(table, 0) + _rows(node)
    return read


def _rows(node: dict[str, Any]) -> int:
    dropped = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    seen = node["Actual Rows"] + sum(node.get(name, 0) for name in dropped)
    return int(seen * node["Actual Loops"])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)
