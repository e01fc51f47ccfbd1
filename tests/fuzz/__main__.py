"""`python -m tests.fuzz --webhooks N --answers N --seed S [--json]`: see docs/reliability.md.

On SQLite, which then refuses what PostgreSQL and MariaDB refuse; `XCOVER_DATABASE=postgresql` runs
it on a real one.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from tests.fuzz.report import Report


def main() -> int:
    """Run, print, and return 1 when something was seen that must not be."""
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    with _database():
        found = measure(options.webhooks, options.answers, options.seed, options.plant)
    if options.json:
        sys.stdout.write(json.dumps(found, indent=2) + "\n")
    else:
        sys.stdout.writelines(_lines(found))
    return int(any(part["faults"] for part in found.values()))


def measure(hooks: int, vendor: int, seed: int, plant: str = "") -> dict[str, Any]:
    """Return what came of so many webhooks and so many vendor answers."""
    from tests.fuzz import answers, deliveries, strictness
    from tests.fuzz.plants import PLANTS

    with strictness.as_strict_as_any(), PLANTS[plant]():
        return {
            "webhooks": _timed(deliveries.run, hooks, seed),
            "answers": _timed(answers.run, vendor, seed),
        }


def _timed(run: Callable[..., None], count: int, seed: int) -> dict[str, Any]:
    from tests.fuzz.report import Report

    report, start = Report(seed=seed, progress=_progress, alarm=_alarm), time.monotonic()
    if count:
        run(count, report)
    return {"seconds": round(time.monotonic() - start, 1), **report.as_json()}


def _progress(report: Report) -> None:
    faults = sum(report.faults.values())
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {report.cases} cases, {faults} faults\n")


def _alarm(example: dict[str, Any]) -> None:
    sys.stderr.write(f"{json.dumps(example)}\n")


def _lines(found: dict[str, Any]) -> Iterator[str]:
    for name, part in found.items():
        yield f"{name}: {part['cases']} cases in {part['seconds']} s, seed {part['seed']}\n"
        yield from (f"  {count:>8}  {what}\n" for what, count in part["outcomes"].items())
        yield from (f"  FAULT {count:>4}  {what}\n" for what, count in part["faults"].items())
        yield from (f"  {json.dumps(example)[:2000]}\n" for example in part["examples"])


@contextmanager
def _database() -> Iterator[None]:
    """Make the tables, and remove them afterwards; two runs at once do not meet."""
    from django.db import connection
    from django.test.utils import setup_test_environment, teardown_test_environment

    logging.raiseExceptions = False
    setup_test_environment()
    name = connection.settings_dict["NAME"]
    real = connection.vendor != "sqlite"
    connection.settings_dict["TEST"]["NAME"] = f"fuzz_{os.getpid()}" if real else None
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--webhooks", type=int, default=2000, help="requests to post")
    parser.add_argument("--answers", type=int, default=2000, help="vendor answers to feed")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same inputs")
    parser.add_argument("--plant", default="", help="a fault of tests/fuzz/plants.py to notice")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
