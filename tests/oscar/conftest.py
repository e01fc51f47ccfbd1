"""The project is another shop, with settings of its own: `test_oscar.py` runs it."""

from __future__ import annotations

collect_ignore = ["project"]
