"""The time that XCover takes to respond."""

from __future__ import annotations

import random
import threading
import time
from itertools import pairwise

# Seconds that forty responses of staging to "make an offer" took (recorded): the minimum, median,
# third quartile and maximum. Times in between are inferred by linear interpolation.
RECORDED = ((0.0, 0.351), (0.5, 0.911), (0.75, 1.712), (1.0, 2.815))
ANSWERS = 40
NAMES = 'Use "none", "recorded", seconds such as "0.5", or a range of seconds such as "0.2-1.5".'
LONGEST = 600.0


class Latency:
    """The response times of successive calls.

    "none" is no wait, "0.5" always half a second, "0.2-1.5" a random time in between. "recorded"
    are the times of staging: every forty responses in a row have its quantiles, in a random order
    that depends on `seed`.
    """

    def __init__(self, spec: str = "none", seed: int | None = None) -> None:
        self._lock = threading.Lock()
        self.set(spec, seed)

    def set(self, spec: str, seed: int | None = None) -> None:
        """Use the times of `spec` from now on. Raise ValueError if it is unknown."""
        low, high = _bounds(spec)
        with self._lock:
            self.spec, self._low, self._high = spec, low, high
            self._random = random.Random(seed)  # noqa: S311 - not a secret
            self._block: list[float] = []

    def next(self) -> float:
        """Return the seconds that the next response takes."""
        with self._lock:
            if self.spec != "recorded":
                return self._random.uniform(self._low, self._high)
            if not self._block:
                self._block = [recorded(number / (ANSWERS - 1)) for number in range(ANSWERS)]
                self._random.shuffle(self._block)
            return self._block.pop()

    def wait(self) -> None:
        """Sleep for the time that the next response takes."""
        if seconds := self.next():
            time.sleep(seconds)


def recorded(share: float) -> float:
    """Return the seconds within which `share` (0 to 1) of the recorded responses arrived."""
    for (left, fast), (right, slow) in pairwise(RECORDED):
        if share <= right:
            return fast + (slow - fast) * (share - left) / (right - left)
    return RECORDED[-1][1]


def _bounds(spec: str) -> tuple[float, float]:
    if spec in {"none", "recorded"}:
        return 0.0, 0.0
    first, dash, second = spec.partition("-")
    try:
        low = float(first)
        high = float(second) if dash else low
    except ValueError:
        raise ValueError(f"There is no latency {spec!r}. {NAMES}") from None
    if not 0 <= low <= high <= LONGEST:
        raise ValueError(f"{spec!r} is not between 0 and {LONGEST:.0f} seconds. {NAMES}")
    return low, high
