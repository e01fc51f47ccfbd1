"""That a storm notices what is planted, and says what it lacks to run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos import missing
from tests.chaos.plants import PLANTS
from tests.requirements import need_module, need_server

ROOT = Path(__file__).parents[2]
NOTICED_AS = {
    "book_before_payment": "booked_unpaid",
    "webhooks_read_nothing": "telephone_lost",
    "keep_cancelled_orders": "order_not_cancelled",
}


def test_what_is_missing_is_named_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(missing, "MODULES", ("no_such_driver",))
    monkeypatch.setattr(missing, "_answers", lambda port: port == missing.SERVERS["rabbitmq"])

    assert missing.what_is_missing("rabbitmq") == (
        "The storm cannot run without the Python package no_such_driver and postgresql on "
        f'127.0.0.1:{missing.SERVERS["postgresql"]} (pip install -e ".[test,engines]").'
    )


def test_every_planted_fault_has_a_finding_that_names_it() -> None:
    assert NOTICED_AS.keys() == PLANTS.keys()


@pytest.mark.processes
@pytest.mark.parametrize("plant", sorted(PLANTS))
def test_a_storm_notices_every_planted_fault(plant: str) -> None:
    need_server("rabbitmq")
    need_server("postgresql")
    need_module("psycopg", serving="postgresql")
    command = [sys.executable, "-W", "ignore", "-m", "tests.chaos", "--plant", plant]
    # One shopper in fourteen cancels by telephone, and not all of them have cover by then.
    orders = "90" if plant == "webhooks_read_nothing" else "40"
    command += ["--orders", orders, "--seed", "5", "--minutes", "3"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 1, done.stderr
    verdict = done.stdout.splitlines()[-1]
    assert NOTICED_AS[plant] in verdict, done.stdout
