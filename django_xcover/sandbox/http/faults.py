"""What can be made to go wrong, per operation and for a number of times."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

# The request is not carried out.
BEFORE = frozenset({"hang", "reset", "status", "garbage", "throttle"})
# The request is carried out and the answer suffers.
AFTER = frozenset({"drip", "process_then_hang", "process_then_reset", "process_then_status"})
# The request is carried out in a way the caller must notice.
EFFECTS = frozenset({"missing_policy", "wrong_price"})
# What happened is told wrongly; these are the faults of the operation `webhook`, and but for the
# price no other has them.
WEBHOOK = "webhook"
TOLD = frozenset({"twice", "late", "never", "reorder", "wrong_price"})
CALLED = BEFORE | AFTER | EFFECTS
KINDS = CALLED | TOLD
# What a wrong price is of the right one.
WRONG_PRICE = Decimal("1.25")


@dataclass(eq=False)
class Fault:
    """One planned misfortune.

    hang: after `seconds` a gateway gives up (504), and the key stays locked until then (in-process
    it is free again at once). reset: the connection breaks. status, garbage, throttle: such an
    answer. process_then_…: carried out, and the answer hangs, is lost or is another. drip: the
    answer arrives byte by byte. missing_policy, wrong_price: a quote or policy fails, costs more;
    a booking that is only read is told at another price.

    Webhooks come twice, late (after `seconds`), never, after the one that follows (reorder), or
    with another price (wrong_price).

    `times` None means always. `seconds` is how long a hang or a drip takes, or what `Retry-After`
    says. A test that needs to know when a hanging request has arrived waits for `entered`, and
    ends the hang with `release()`.
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
        """Wait until released, `seconds` at most."""
        self.entered.set()
        self.released.wait(self.seconds)

    def describe(self) -> dict[str, Any]:
        """Return plain values for the control page."""
        return {
            name: getattr(self, name)
            for name in ("operation", "kind", "times", "seconds", "status", "how")
        }


class Faults:
    """The planned faults, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[Fault] = []
        self._used: list[Fault] = []

    def add(self, operation: str, kind: str, **options: Any) -> Fault:
        """Plan a fault for an operation or `"*"`.

        Options: `times` (default 1, None for always), `seconds`, `status`, `body` (JSON value),
        `how` (`"null"` or `"absent"`, for `missing_policy`). Raises ValueError for another kind.
        """
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is no fault; there are {', '.join(sorted(KINDS))}.")
        if kind not in (TOLD if operation == WEBHOOK else CALLED):
            raise ValueError(
                f"{operation!r} has no fault {kind!r}; webhooks have faults of their own."
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
            self._used.append(fault)  # some call may hang on it still

    def clear(self) -> None:
        """Forget what is planned and let go what hangs."""
        with self._lock:
            for fault in (*self._planned, *self._used):
                fault.release()
            self._planned.clear()
            self._used.clear()

    def planned(self) -> list[dict[str, Any]]:
        """Return what is still to come."""
        with self._lock:
            return [fault.describe() for fault in self._planned]
