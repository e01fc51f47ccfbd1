"""`python -m tests.benchmarks [--rounds N] [--json]`: what the package costs, against a baseline.

Every figure is a ratio measured in one run on one machine: how much longer the thing takes than
the plainest way to do the same. Absolute times say more about the machine than about the code.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

import django

from tests.benchmarks.timing import Figure


def main() -> None:
    """Measure and print."""
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    if options.memory:
        from tests.benchmarks import memory

        sys.stdout.write(json.dumps(memory.measure(), indent=2) + "\n")
        return
    figures = _measured(options)
    if options.json:
        sys.stdout.write(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
        return
    sys.stdout.write(f"{'milliseconds, medians':<58}{'ours':>10}{'baseline':>12}{'ratio':>8}\n")
    sys.stdout.writelines(figure.line() + "\n" for figure in figures)


def _measured(options: argparse.Namespace) -> list[Figure]:
    if options.large:
        from tests.benchmarks import large

        return large.measure(rounds=options.rounds)
    from tests.benchmarks import cases

    return cases.measure(rounds=options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="pairs per figure")
    parser.add_argument(
        "--large", action="store_true", help="1,000,000 rows against 10,000, on PostgreSQL"
    )
    parser.add_argument(
        "--memory", action="store_true", help="a worker's memory over 10,000 operations"
    )
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
