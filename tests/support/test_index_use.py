"""What runs every minute, or on every look, reads an index and never the whole table.

SQLite takes an index whenever one serves; PostgreSQL is forbidden to scan, so that on these small
tables it shows as well whether one serves. What it gains on a million rows: tests.benchmarks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from django_xcover.models import Operation, QuotePackage, WebhookDelivery
from django_xcover.policies import instalments

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
Rows = Callable[[], Any]
LIST = "the admin's list"
QUERIES: dict[str, tuple[str, Rows]] = {
    "sweeping operations": (
        "xcover_operation",
        lambda: Operation.objects.claimable(timezone.now()).order_by("next_attempt_at")[:500],
    ),
    "sweeping webhooks": (
        "xcover_webhookdelivery",
        lambda: WebhookDelivery.objects.claimable(timezone.now()).order_by("next_attempt_at"),
    ),
    "what waits for a person": ("xcover_operation", Operation.objects.needing_person),
    "what needs attention": ("xcover_quotepackage", QuotePackage.objects.needing_attention),
    LIST: ("xcover_quotepackage", lambda: QuotePackage.objects.order_by("-pk")[:100]),
    "an order's packages": (
        "xcover_quotepackage",
        lambda: QuotePackage.objects.for_order("ORD-1"),
    ),
    "a package by its id": (
        "xcover_quotepackage",
        lambda: QuotePackage.objects.filter(account="default", package_id="A-INS"),
    ),
    "overdue instalments": ("xcover_instalment", instalments.overdue),
}


@pytest.mark.parametrize("name", QUERIES)
def test_an_index_serves(name: str) -> None:
    table, rows = QUERIES[name]
    if connection.vendor == "mysql":
        pytest.skip("MariaDB's plan for a small table says nothing about a large one")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")

    plan = rows().explain()

    if name == LIST and connection.vendor == "sqlite":
        # It calls reading in the order of the key, up to the limit, a scan as well.
        assert "TEMP B-TREE" not in plan
        return
    read = [line for line in plan.splitlines() if table in line]
    assert read, plan
    assert not any(scans_all(line, table) for line in read), plan


def scans_all(line: str, table: str) -> bool:
    """Return whether a line of a plan reads the table from end to end, for lack of an index."""
    if connection.vendor == "postgresql":
        return f"Seq Scan on {table}" in line
    return f"SCAN {table}" in line and "INDEX" not in line


def test_a_query_that_no_index_serves_is_told() -> None:
    if connection.vendor == "mysql":
        pytest.skip("see above")
    plan = QuotePackage.objects.filter(customer_country="GB").order_by().explain()

    assert any(scans_all(line, "xcover_quotepackage") for line in plan.splitlines()), plan
