"""Run a module as one of the demo's processes, and stop whenever the demo ends.

The demo holds the other end of standard input. A demo that is killed hard can tell nobody, but the
operating system closes its pipes, on every platform.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading
import time

GRACE = 15.0
STDIN = 0


def main() -> None:
    """Run `sys.argv[1]` as `python -m` would, with the rest as its arguments."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)


def _end_with_parent() -> None:
    # Not sys.stdin: a daemon thread that holds its lock is a fatal error at Python's shutdown.
    while os.read(STDIN, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(1)


if __name__ == "__main__":
    main()
