"""How the last calls to XCover ended, and whether that is bad enough to stop calling."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from django_xcover.conf import get_config

# Seconds. Older calls say nothing of XCover now: an open circuit itself lasts minutes at most.
REMEMBERED = 600.0
# A large shop has faults in a row by chance, between many calls that succeed. So faults in a row
# count only when nothing has succeeded for so many seconds, which is always so in a small shop.
NO_CHANCE = 5.0
# A vendor that fails half of the time is not there: at least so many calls in a minute tell.
SAMPLE, SAMPLED, SHARE = 20, 60.0, 0.5

Call = tuple[float, bool]


@dataclass(frozen=True, slots=True)
class RecentCalls:
    """The calls of an account, oldest first: when they ended, and whether XCover answered."""

    calls: tuple[Call, ...] = ()

    @classmethod
    def read(cls, value: Any) -> RecentCalls:
        """Return what a cache has kept; TypeError or ValueError for anything else."""
        return cls(tuple((float(at), bool(well)) for at, well in value or ()))

    @property
    def faults(self) -> int:
        """Return how many got no usable answer."""
        return sum(not well for _, well in self.calls)

    def plus(self, now: float, well: bool) -> RecentCalls:
        """Return these calls and one more, without those that are too old or too many."""
        kept = [call for call in self.calls if now - call[0] < REMEMBERED]
        most = max(SAMPLE, get_config().breaker_faults)
        return RecentCalls((*kept, (now, well))[-most:])

    def are_too_bad(self, now: float) -> bool:
        """Return whether XCover is to be left alone."""
        return self._fail_in_a_row(now) or self._fail_half_the_time(now)

    def _fail_in_a_row(self, now: float) -> bool:
        in_a_row = sum(1 for _ in takewhile(lambda call: not call[1], reversed(self.calls)))
        # One of the future was made before the clock was set back.
        by_chance = any(well and 0 <= now - at < NO_CHANCE for at, well in self.calls)
        return in_a_row >= get_config().breaker_faults and not by_chance

    def _fail_half_the_time(self, now: float) -> bool:
        sample = [well for at, well in self.calls if now - at < SAMPLED]
        return len(sample) >= SAMPLE and sample.count(False) >= len(sample) * SHARE
