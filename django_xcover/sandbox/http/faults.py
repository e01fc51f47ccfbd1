"""Planned faults, per operation and for a number of times, and the time that XCover takes."""

from __future__ import annotations

import random
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

# The request is not carried out.
BEFORE = frozenset({"hang", "reset", "status", "garbage", "throttle"})
# The request is carried out and the response is disturbed.
AFTER = frozenset({"drip", "process_then_hang", "process_then_reset", "process_then_status"})
# The request is carried out with a wrong result that the caller must notice.
EFFECTS = frozenset({"missing_policy", "wrong_price"})
# The faults of the operation `webhook`. Except for wrong_price, no other operation has them.
WEBHOOK = "webhook"
WEBHOOK_FAULTS = frozenset({"twice", "late", "never", "reorder", "wrong_price"})
CALL_FAULTS = BEFORE | AFTER | EFFECTS
KINDS = CALL_FAULTS | WEBHOOK_FAULTS
# The factor by which a wrong price differs from the right one.
WRONG_PRICE = Decimal("1.25")


@dataclass(eq=False)
class Fault:
    """One planned fault.

    hang: a gateway times out after `seconds` (504), and the idempotency key stays locked until then
    (in-process it is released immediately). reset: the connection breaks. status, garbage,
    throttle: a response of that kind. process_then_…: the request is carried out, and the response
    hangs, is lost or is replaced by a status. drip: the response arrives byte by byte.
    missing_policy, wrong_price: a quote or policy fails or costs more; a booking that is only read
    shows another price.

    Webhooks are sent twice, late (after `seconds`), never, after the next one (reorder), or with
    another price (wrong_price).

    `times` None means always. `seconds` is the duration of a hang or a drip, or the value of
    `Retry-After`. A test can wait on `entered` until a hanging request has arrived, and end the
    hang with `release()`.
    """

    operation: str
    kind: str
    times: int | None = 1
    seconds: float = 30
    status: int = 503
    body: Any = None
    how: str = "null"
    entered: threading.Event = field(default_factory=threading.Event, repr=False)
    released: threading.Event = field(default_factory=threading.Event, repr=False)

    def release(self) -> None:
        """End the hang of every request this fault holds."""
        self.released.set()

    def hold(self) -> None:
        """Wait until released, or for at most `seconds`."""
        self.entered.set()
        self.released.wait(self.seconds)

    def describe(self) -> dict[str, Any]:
        """Return the fault as plain values for the control API."""
        return {
            name: getattr(self, name)
            for name in ("operation", "kind", "times", "seconds", "status", "how")
        }


class Faults:
    """The planned faults, used in the order they were added."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._used: list[Fault] = []

    def add(self, operation: str, kind: str, **options: Any) -> Fault:
        """Plan a fault for an operation or `"*"`.

        Options: `times` (default 1, None for always), `seconds`, `status`, `body` (JSON value),
        `how` (`"null"` or `"absent"`, for `missing_policy`). Raise ValueError for an unknown kind.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is not a fault. Known: {', '.join(sorted(KINDS))}.")
        if kind not in (WEBHOOK_FAULTS if operation == WEBHOOK else CALL_FAULTS):
            raise ValueError(
                f"{operation!r} has no fault {kind!r}. Webhooks and calls have different faults."
            )
        fault = Fault(operation, kind, **options)
        with self._lock:
            self._planned.append(fault)
        return fault

    def take(self, operation: str) -> Fault | None:
        """Return the next fault for the operation and count it, or None."""
        names = {operation} if operation == WEBHOOK else {operation, "*"}
        with self._lock:
            for fault in self._planned:
                if fault.operation in names:
                    self._count(fault)
                    return fault
        return None

    def _count(self, fault: Fault) -> None:
        if fault.times is None:
            return
        fault.times -= 1
        if fault.times <= 0:
            self._planned.remove(fault)
            self._used.append(fault)  # a call may still hang on it

    def clear(self) -> None:
        """Remove all planned faults and release hanging requests."""
        with self._lock:
            for fault in (*self._planned, *self._used):
                fault.release()
            self._planned.clear()
            self._used.clear()

    def planned(self) -> list[dict[str, Any]]:
        """Return the faults that are still planned."""
        with self._lock:
            return [fault.describe() for fault in self._planned]


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
