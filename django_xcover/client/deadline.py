"""A point in time until which a call may take, on the clock that is never set back."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment, in seconds of the monotonic clock, at which waiting ends."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Return the seconds left, 0.0 when there are none."""
        return max(0.0, self.at - time.monotonic())

    def remaining(self) -> float:
        """Return the seconds left, as a socket timeout; raise TimeoutError when there are none."""
        left = self.left
        if not left:  # a socket timeout of 0 would mean "do not wait", not "time is up"
            raise TimeoutError("deadline reached")
        return left

    def sooner(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))
