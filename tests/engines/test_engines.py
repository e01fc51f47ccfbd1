"""The tests marked `every_engine`, run again on the engines shops grow into.

A process for each engine, both at once: most of the time one of them waits for its server.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest
from django.db.utils import ConnectionHandler
from pytest_django import DjangoDbBlocker

from tests.requirements import need_module, need_server
from tests.settings import ENGINES, own_database

pytestmark = pytest.mark.engines
ROOT = Path(__file__).parents[2]
DRIVERS = {"postgresql": "psycopg", "mariadb": "MySQLdb"}
# Browsers and processes of their own make no difference to an engine, and the latter bring theirs.
COMMAND = ["pytest", "-q", "-n", "0", "--create-db", "-p", "no:cacheprovider", "tests"]
COMMAND += ["-m", "every_engine and not browser and not processes and not engines"]


class Run:
    """The suite on one engine, in a process of its own."""

    def __init__(self, engine: str, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *COMMAND],
                cwd=ROOT,
                env={**os.environ, "XCOVER_DATABASE": engine, "XCOVER_EXAMPLES": ""},
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def report(self) -> str:
        """Return the end of what was printed: the last tracebacks, and every failure by name."""
        text = self._log.read_text()
        names = [line for line in text.splitlines() if line.startswith(("FAILED ", "ERROR "))]
        return "\n".join([text[-6000:], *names])


@contextmanager
def running(engine: str, log: Path, blocker: DjangoDbBlocker) -> Iterator[Run]:
    """Run the suite on an engine; whatever happens, neither process nor database stays behind."""
    run = Run(engine, log)
    try:
        yield run
    finally:
        run.process.kill()
        run.process.wait()
        with blocker.unblock():
            drop(engine, own_database(run.process.pid))


def drop(engine: str, name: str) -> None:
    """Drop a test database, should it still be there."""
    connection = ConnectionHandler({"default": ENGINES[engine]})["default"]
    # PostgreSQL may not have noticed yet that the process is gone.
    force = " WITH (FORCE)" if engine == "postgresql" else ""
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {connection.ops.quote_name(name)}{force}")


def need(engine: str) -> None:
    """Skip the test when the engine is not there."""
    need_server(engine)
    need_module(DRIVERS[engine], serving=engine)


@pytest.fixture(scope="module")
def runs(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[dict[str, Run]]:
    """Start the run of each engine that is there and was asked for."""
    asked = [engine for engine in DRIVERS if any(engine in i.name for i in request.session.items)]
    logs = tmp_path_factory.mktemp("engines")
    with ExitStack() as stack:
        found = {}
        for engine in asked:
            with suppress(pytest.skip.Exception, pytest.fail.Exception):
                need(engine)
                run = running(engine, logs / f"{engine}.log", django_db_blocker)
                found[engine] = stack.enter_context(run)
        yield found


@pytest.mark.parametrize("engine", DRIVERS)
def test_what_depends_on_the_database_does_the_same_on(engine: str, runs: dict[str, Run]) -> None:
    need(engine)

    ended = runs[engine].process.wait()

    assert ended == 0, runs[engine].report()
