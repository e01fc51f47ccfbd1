"""`python -m tests.example_shop.ordinary PROGRAM …`: run it so that permissions hold for root, too.

Root passes over them by two rights of Linux. What is taken out of the bounding set here is gone
when the program starts.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2


def main() -> None:
    """Give the rights up and become the program."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
            if libc.prctl(PR_CAPBSET_DROP, right, 0, 0, 0) != 0:
                raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606 (our own command)


if __name__ == "__main__":
    main()
