"""Two ways of doing a thing, timed in turn, so that the machine's moods hit both."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Call = Callable[[], object]
WARM_UP = 5


@dataclass(frozen=True, kw_only=True)
class Figure:
    """The medians of two calls in milliseconds, and the median of their ratios pair by pair.

    `max_ratio` and `max_ms` are the limits that the ratio and `ours` are held to, None for none.
    """

    name: str
    ours: float
    baseline: float
    ratio: float
    rounds: int
    max_ratio: float | None = None
    max_ms: float | None = None

    @property
    def is_broken(self) -> bool:
        """Return whether a limit is exceeded."""
        too_long = self.max_ms is not None and self.ours > self.max_ms
        return too_long or (self.max_ratio is not None and self.ratio > self.max_ratio)

    @property
    def verdict(self) -> str:
        """Return the limit and whether it holds, "" where there is none."""
        limits = [f"≤ {self.max_ratio:.2f} x"] if self.max_ratio is not None else []
        limits += [f"≤ {self.max_ms:g} ms"] if self.max_ms is not None else []
        said = "BROKEN" if self.is_broken else "holds"
        return f"{', '.join(limits)} {said}" if limits else ""

    def line(self) -> str:
        """Return the figure as a row of a table."""
        row = f"{self.name:<58}{self.ours:>10.3f}{self.baseline:>12.3f}{self.ratio:>8.2f}"
        return f"{row}  {self.verdict}".rstrip()


def compare(
    name: str,
    ours: Call,
    baseline: Call,
    *,
    rounds: int,
    max_ratio: float | None = None,
    max_ms: float | None = None,
) -> Figure:
    """Time `ours` against `baseline`, alternately."""
    for _ in range(WARM_UP):
        ours()
        baseline()
    pairs = [_pair(ours, baseline, swap=bool(index % 2)) for index in range(rounds)]
    return Figure(
        name=name,
        ours=median(pair[0] for pair in pairs) * 1000,
        baseline=median(pair[1] for pair in pairs) * 1000,
        ratio=median(pair[0] / pair[1] for pair in pairs),
        rounds=rounds,
        max_ratio=max_ratio,
        max_ms=max_ms,
    )


def _pair(ours: Call, baseline: Call, *, swap: bool) -> tuple[float, float]:
    # Whoever goes second finds warmer caches, so the two take turns.
    gc.collect()
    if swap:
        second = _time(baseline)
        return _time(ours), second
    return _time(ours), _time(baseline)


def _time(call: Call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start
