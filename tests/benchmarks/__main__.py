"""`python -m tests.benchmarks`: what the package costs, and whether its limits hold.

Every figure is a ratio measured in one run on one machine: how much longer the thing takes than
the plainest way to do the same, or than the same in a small shop. Absolute times say more about the
machine than about the code. Ends with 1 when a limit is broken.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

import django

from tests.benchmarks.timing import Figure


def main() -> int:
    """Measure and print; return 1 when a limit is broken."""
    options = _options()
    if options.memory:
        from tests.benchmarks import memory

        return memory.main(count=options.operations, pool=options.pool)
    if options.large or options.webhooks:
        os.environ["XCOVER_DATABASE"] = "postgresql"
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    if options.explain:
        from tests.benchmarks import large

        large.explain(large=options.rows)
        return 0
    figures = _measured(options)
    _print(figures, as_json=options.json)
    return int(any(figure.is_broken for figure in figures))


def _print(figures: list[Figure], *, as_json: bool) -> None:
    if as_json:
        rows = [{**asdict(figure), "verdict": figure.verdict} for figure in figures]
        sys.stdout.write(json.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return
    sys.stdout.write(f"{'milliseconds, medians':<58}{'ours':>10}{'baseline':>12}{'ratio':>8}\n")
    sys.stdout.writelines(figure.line() + "\n" for figure in figures)


def _measured(options: argparse.Namespace) -> list[Figure]:
    if options.large:
        from tests.benchmarks import large

        return large.measure(rounds=options.rounds, large=options.rows)
    if options.webhooks:
        from tests.benchmarks import webhooks

        return webhooks.measure(rounds=options.rounds)
    from tests.benchmarks import cases

    return cases.measure(rounds=options.rounds)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="pairs per figure")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--large", action="store_true", help="a large shop against 10,000 policies, on PostgreSQL"
    )
    which.add_argument(
        "--webhooks", action="store_true", help="taking a webhook, on PostgreSQL alone"
    )
    which.add_argument("--memory", action="store_true", help="a real worker's memory, and no times")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="policies of the large shop, by the 10,000"
    )
    parser.add_argument(
        "--explain", action="store_true", help="print the large shop's plans, and no times"
    )
    parser.add_argument(
        "--operations", type=int, default=10_000, help="how many the worker carries out"
    )
    parser.add_argument("--pool", choices=("prefork", "threads"), default="prefork")
    options = parser.parse_args()
    options.large = options.large or options.explain
    return options


if __name__ == "__main__":
    sys.exit(main())
