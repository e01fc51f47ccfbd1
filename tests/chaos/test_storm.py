"""A short storm. A longer one is in docs/reliability.md."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.plan import FAULTS, KILL_WORKER, RENEWALS, SALES, XCOVER, Act, misfortunes
from tests.requirements import need_module, need_server

ROOT = Path(__file__).parents[2]


def test_the_same_seed_plans_the_same_faults_and_another_seed_does_not() -> None:
    assert misfortunes(200, 7) == misfortunes(200, 7)
    assert misfortunes(200, 7) != misfortunes(200, 8)


@pytest.mark.parametrize("act", [SALES, RENEWALS], ids=lambda act: act.name)
def test_a_long_storm_has_every_fault_of_every_call_and_every_outage(act: Act) -> None:
    planned = misfortunes(1000, 1, act)

    assert {one.what for one in planned} == {XCOVER, *act.outages}
    for operation in act.faults:
        struck = [one.fault for one in planned if one.fault.get("operation") == operation]
        for fault in FAULTS[operation]:
            assert {"operation": operation, **fault} in struck


@pytest.mark.processes
def test_no_cover_is_lost_doubled_or_dearer_and_no_order_fails_in_a_storm() -> None:
    need_server("rabbitmq")

    found = storm("rabbitmq", orders=20, seed=50)

    assert found["orders"] + found["abandoned"] == 20
    assert min(found["abandoned"], found["pay_first"]) > 0
    assert min(found["booked"], found["opted_out"]) > 0
    assert min(found["cancelled"], found["renewed"]) > 0
    assert found["misfortunes"][KILL_WORKER] >= 2


@pytest.mark.processes
def test_nor_does_a_storm_on_redis_do_harm() -> None:
    need_server("redis")

    found = storm("redis", orders=8, seed=65)

    assert found["orders"] + found["abandoned"] == 8
    assert found["booked"] > 0


def storm(broker: str, *, orders: int, seed: int) -> dict[str, Any]:
    """Return the figures of a storm, in which all that has to be nought is."""
    need_server("postgresql")
    need_module("psycopg", serving="postgresql")
    need_module("gunicorn", serving="postgresql")
    command = [sys.executable, "-W", "ignore", "-m", "tests.chaos", "--json", "--broker", broker]
    command += ["--orders", str(orders), "--seed", str(seed), "--minutes", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    assert done.returncode == 0, done.stdout
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
