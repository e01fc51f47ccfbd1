"""A million policies against ten thousand, on PostgreSQL: what must not grow with the shop.

Both live in one database, in schemas of their own, so that they are timed in turn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.test import Client

from tests.benchmarks import plans, webhooks
from tests.benchmarks.database import own_database
from tests.benchmarks.looks import LOOKS, Look, somebody_looking
from tests.benchmarks.rows import fill, look_into, make_template
from tests.benchmarks.timing import Figure, compare

SMALL, LARGE = 10_000, 1_000_000


def measure(*, rounds: int, large: int = LARGE) -> list[Figure]:
    """Return the figures, that of the webhooks among them; PostgreSQL only."""
    with _two_shops(large) as client:
        figures = [_figure(look, client, rounds) for look in LOOKS]
        look_into("public")
        # Milliseconds apart, and soon done: a few rounds would tell the machine's moods.
        return [*figures, webhooks.figure(max(rounds, 200))]


def explain(*, large: int = LARGE) -> None:
    """Print how the large shop's queries are answered."""
    with _two_shops(large) as client:
        look_into("large")
        for look in LOOKS:
            for sql in plans.queries(lambda look=look: look.act(client)):  # type: ignore[misc]
                sys.stdout.write(f"\n{look.name}: {sql[:2000]}\n\n{plans.explain(sql)}\n")


@contextmanager
def _two_shops(large: int) -> Iterator[Client]:
    with own_database():
        make_template()
        fill("small", SMALL)
        fill("large", large)
        with somebody_looking() as client:
            yield client


def _figure(look: Look, client: Client, rounds: int) -> Figure:
    def among(schema: str) -> Callable[[], None]:
        def act() -> None:
            look_into(schema)
            look.act(client)

        return act

    return compare(
        look.name, among("large"), among("small"), rounds=rounds, max_ratio=look.max_ratio
    )
