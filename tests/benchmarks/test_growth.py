"""What people look at reads what it shows, and not the table that it is in.

PostgreSQL says how many rows a plan has read, in a shop that is small but has its statistics. The
times in a shop of 1,000,000 policies: `python -m tests.benchmarks --large`.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client

from django_xcover.admin.common.base import ShortPaginator
from django_xcover.models import QuotePackage
from django_xcover.support import status
from tests.benchmarks import plans
from tests.benchmarks.looks import LOOKS, Look, somebody_looking
from tests.benchmarks.rows import fill, look_into, make_template

pytestmark = pytest.mark.django_db
# A page of reconciliation reads 500 rows of each table.
ALL_OF_ONE_COUNTRY = QuotePackage.objects.filter(customer_country="GB").values("pk")
POLICIES, MOST = 20_000, 1_500


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """Return somebody who looks at a shop in which a count stops as early as in a large one."""
    if connection.vendor != "postgresql":
        pytest.skip("the plans are PostgreSQL's (XCOVER_DATABASE=postgresql)")
    monkeypatch.setattr(ShortPaginator, "LIMIT", 100)
    monkeypatch.setattr(status, "MOST_COUNTED", 100)
    make_template()
    fill("small", POLICIES)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
    with somebody_looking() as client:
        look_into("small")
        yield client


def test_no_look_reads_the_whole_table(person: Client) -> None:
    looked = {look.name: most_read(look, person) for look in LOOKS if not look.grows}

    assert {name: read for name, read in looked.items() if read > MOST} == {}
    assert all(looked.values())


def test_a_look_that_reads_the_whole_table_is_told(person: Client) -> None:
    everybody = Look("all of one country", lambda client: list(ALL_OF_ONE_COUNTRY.all()))

    assert most_read(everybody, person) >= POLICIES


def most_read(look: Look, person: Client) -> int:
    """Return how many rows of one table its most expensive query reads."""
    made = plans.queries(lambda: look.act(person))
    return max(rows for sql in made for rows in plans.rows_read(sql).values())
