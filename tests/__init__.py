"""The tests. How to run them: CONTRIBUTING.md."""

from __future__ import annotations

import os
import sys

# Images often set it. Then each process of a run compiles all modules anew: 10 s for one that
# collects the tests, and 2 s for every server and worker that a test starts.
if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    sys.dont_write_bytecode = False
