"""The lowest versions that `pyproject.toml` allows, as constraints for pip.

python -m tests.tools.lowest > lowest.txt && pip install -c lowest.txt -e ".[test]"
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def constraints() -> list[str]:
    """Return each dependency of the package itself, pinned to its lowest version."""
    dependencies: list[str] = tomllib.loads(PROJECT.read_text())["project"]["dependencies"]
    return [dependency.replace(">=", "==") for dependency in dependencies]


if __name__ == "__main__":
    sys.stdout.write("\n".join(constraints()) + "\n")
