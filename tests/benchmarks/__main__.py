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


def main() -> None:
    """Measure and print."""
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    from tests.benchmarks import cases

    figures = cases.measure(rounds=options.rounds)
    if options.json:
        sys.stdout.write(json.dumps([asdict(figure) for figure in figures], indent=2) + "\n")
        return
    sys.stdout.write(f"{'milliseconds, medians':<58}{'ours':>10}{'baseline':>12}{'ratio':>8}\n")
    sys.stdout.writelines(figure.line() + "\n" for figure in figures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200, help="pairs per figure")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    return parser.parse_args()


if __name__ == "__main__":
    main()
