"""A pass over a large shop reads by index, page by page; none of its queries reads a whole table.

As in tests/support/test_index_use.py: PostgreSQL is forbidden to scan, so that on these small
tables it shows whether an index serves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_xcover.models import Discrepancy, QuotePackage, Reconciliation
from django_xcover.support import status
from django_xcover.sync import reconciliation
from django_xcover.sync.reconciliation import discrepancies
from tests.sync.reconciliation.conftest import Buy, cancel_at_xcover, forget

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
# One row for an account, and a few accounts: there is nothing to look up.
SMALL = ("xcover_reconciliation", "xcover_accountpause")
SCANS = {
    # In the order of the key, 500 rows at a time: SQLite calls that a scan as well.
    "sqlite": re.compile(r"SCAN (xcover_\w+)\b(?! USING)"),
    "postgresql": re.compile(r"Seq Scan on (xcover_\w+)"),
}


@contextmanager
def plans() -> Iterator[list[tuple[str, str]]]:
    """Collect the plan of each SELECT that is made inside the block, with its text."""
    found: list[tuple[str, str]] = []

    def explain(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if sql.startswith("SELECT") and "xcover_" in sql:
            prefix = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
            with context["connection"].cursor() as cursor:
                # By the driver's own cursor, or this would explain itself.
                cursor.cursor.execute(prefix + sql.replace(" FOR UPDATE", ""), params)
                lines = [" ".join(map(str, row)) for row in cursor.cursor.fetchall()]
            found.append((sql, "\n".join(lines)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield found


def whole_tables(sql: str, plan: str) -> list[str]:
    """Return the tables that a plan reads from end to end, but for those that are small."""
    return [table for table in SCANS[connection.vendor].findall(plan) if table not in SMALL]


@pytest.fixture(autouse=True)
def _no_scans() -> None:
    if connection.vendor == "mysql":
        pytest.skip("MariaDB's plan for a small table says nothing about a large one")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")


def test_a_pass_with_all_its_findings_scans_no_table(buy: Buy) -> None:
    buy(1)
    cancel_at_xcover(buy(2))
    forget(buy(3))
    lost = buy(4)
    QuotePackage.objects.filter(pk=lost.pk).update(package_id="KXR4W-9PJTC-INS")
    reconciliation.reconcile("default")
    Reconciliation.objects.update(finished_at=timezone.now() - timedelta(hours=1))

    with plans() as found:
        report = reconciliation.reconcile("default", fix=True)

    assert report.is_finished
    assert report.lines
    assert len(found) > 10
    assert [(sql, plan) for sql, plan in found if whole_tables(sql, plan)] == []


def test_looking_how_everything_stands_scans_no_table(buy: Buy) -> None:
    buy(1)
    reconciliation.reconcile("default")

    with plans() as found:
        status.status()

    # Counting operations by state reads all of them, from an index alone.
    # One statement a kind of figure, however many rows: eleven, and five for what health judges.
    assert len(found) == 16
    assert [(sql, plan) for sql, plan in found if whole_tables(sql, plan)] == []


def test_marking_together_scans_no_table(buy: Buy) -> None:
    forget(buy(1))
    reconciliation.reconcile("default")
    row = Discrepancy.objects.get()

    with plans() as found:
        reconciliation.resolve_all({row.pk: discrepancies.fingerprint(row)}, by="1", note="Known")

    assert found
    assert [(sql, plan) for sql, plan in found if whole_tables(sql, plan)] == []


def test_a_query_that_no_index_serves_is_told() -> None:
    with plans() as found:
        list(QuotePackage.objects.filter(customer_country="GB").order_by())

    [(sql, plan)] = found
    assert whole_tables(sql, plan) == ["xcover_quotepackage"]
