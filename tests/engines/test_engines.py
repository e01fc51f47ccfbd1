"""The tests that touch the database, run again on the engines shops grow into."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import need_module, need_server

pytestmark = pytest.mark.engines
ROOT = Path(__file__).parents[2]
DRIVERS = {"postgresql": "psycopg", "mariadb": "MySQLdb"}


@pytest.mark.parametrize("engine", sorted(DRIVERS))
def test_the_services_behave_the_same_on(engine: str) -> None:
    need_server(engine)
    need_module(DRIVERS[engine], serving=engine)
    command = [sys.executable, "-m", "pytest", "-q", "--create-db", "-p", "no:cacheprovider"]
    command += ["tests/services", "tests/webhooks", "tests/test_tasks.py", "tests/test_races.py"]

    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "XCOVER_DATABASE": engine},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
