"""How much the random tests try: a part of it by default, and all where `XCOVER_EXAMPLES=all`."""

from __future__ import annotations

import os

ALL = os.environ.get("XCOVER_EXAMPLES") == "all"
PART = 5


def examples(count: int, *, least: int = 1) -> int:
    """Return `count` where all is asked for, and otherwise a fifth of it, but not below `least`."""
    return count if ALL else max(count // PART, min(least, count))
