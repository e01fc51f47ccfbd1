"""The recorded traffic, which lies beside the repository and is not part of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[2].parent / "shared" / "xcover" / "recordings"
FILES = sorted(FOLDER.glob("*.json"))
NEEDED = pytest.mark.skipif(not FILES, reason=f"no recorded traffic in {FOLDER}")


def interactions(path: Path) -> list[dict[str, Any]]:
    """Return the recorded requests and answers of one file, in their order."""
    return list(json.loads(path.read_text())["interactions"])
