"""The Oscar shop of docs/oscar.md, bought from in a process of its own: it has other settings.

Its `conftest.py` and its settings are in `tests/oscar/project`, which this run doesn't collect.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.requirements import missing

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
PROJECT = Path(__file__).parent / "project"
# What this process uses of pytest and Django isn't that shop's.
OTHERS = ("DJANGO_SETTINGS_MODULE", "PYTEST_ADDOPTS", "PYTEST_XDIST_WORKER", "XCOVER_DATABASE")


@pytest.fixture(autouse=True)
def _oscar() -> None:
    if importlib.util.find_spec("oscar") is None:
        missing("oscar", "django-oscar is not installed (the extra oscar has it)")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a Python module in the project, with its settings."""
    environment = {name: value for name, value in os.environ.items() if name not in OTHERS}
    return subprocess.run(
        [sys.executable, "-m", *command],
        cwd=PROJECT,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_oscar_shop_sells_cover() -> None:
    ended = run("pytest", "-q", "-c", "pytest.ini", "--confcutdir", ".")

    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
    assert " passed" in ended.stdout


def test_the_migrations_match_the_models() -> None:
    check = ("makemigrations", "xcover_oscar", "--check", "--dry-run")

    ended = run("django", *check, "--settings", "myshop.settings")

    assert ended.returncode == 0, ended.stdout + ended.stderr
