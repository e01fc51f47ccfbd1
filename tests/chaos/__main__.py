"""`python -m tests.chaos --orders N --seed S --json`; ends with 1 when a figure is not nought.

With 2 when something that it needs is missing here.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import django

from tests.chaos.missing import what_is_missing


def options() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="the plan of faults follows from it")
    parser.add_argument("--minutes", type=float, default=10.0, help="the run ends by then")
    parser.add_argument("--broker", choices=("rabbitmq", "redis"), default="rabbitmq")
    parser.add_argument("--logs", type=Path, help="where to keep the processes' output")
    parser.add_argument("--plant", default="", help="a fault of tests/chaos/plants.py to notice")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> int:
    """Carry out the run, print its figures and return the exit code."""
    # As an exception it ends the run's processes and its database; by default it would leave them.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    asked = options()
    if missing := what_is_missing(asked.broker):
        sys.stderr.write(f"{missing}\n")
        return 2
    from tests.chaos.ground import own_ground
    from tests.chaos.plants import PLANTS

    if asked.plant and asked.plant not in PLANTS:
        sys.stderr.write(f"There is no plant {asked.plant}: {', '.join(PLANTS)}.\n")
        return 2
    with own_ground(asked.broker) as ground:
        os.environ.update(ground.environment(direct=True))
        django.setup()
        from tests.chaos.report import in_words, is_good
        from tests.chaos.run import run

        figures: dict[str, Any] = run(
            ground,
            orders=asked.orders,
            seed=asked.seed,
            minutes=asked.minutes,
            logs=asked.logs,
            plant=asked.plant,
        )
        shown = json.dumps(figures, indent=2) if asked.json else in_words(figures)
        sys.stdout.write(f"{shown}\n")
        return 0 if is_good(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
