"""A shop's type checker catches a wrong cart or order, and leaves right ones alone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SHOP = Path(__file__).with_name("typed_shop.py")


@pytest.fixture(scope="module")
def refused(tmp_path_factory: pytest.TempPathFactory) -> set[tuple[int, str]]:
    """Return line and kind of each error that mypy --strict finds, as any shop would run it."""
    run = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--config-file="),
            *("--follow-imports=silent", "--hide-error-context", "--no-error-summary"),
            f"--cache-dir={tmp_path_factory.mktemp('mypy')}",
            str(SHOP),
        ],
        cwd=SHOP.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode in {0, 1}, run.stdout + run.stderr
    found = re.findall(r":(\d+): error: .*\[([a-z-]+)\]$", run.stdout, re.MULTILINE)
    return {(int(line), kind) for line, kind in found}


def test_mypy_refuses_exactly_the_wrong_lines(refused: set[tuple[int, str]]) -> None:
    lines = enumerate(SHOP.read_text().splitlines(), 1)
    marked = {(n, text.split("# ERROR ")[1]) for n, text in lines if "# ERROR " in text[10:]}

    assert refused == marked
