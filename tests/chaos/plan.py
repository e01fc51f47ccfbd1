"""What goes wrong and when: from the seed alone, and counted in orders, not in seconds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

KILL_WORKER = "kill a worker with -9"
CUT_BROKER = "cut the broker"
CUT_DATABASE = "cut the database"
END_CONNECTIONS = "end the database's connections"
XCOVER = "XCover"

# Seconds beyond every deadline of the settings, so that a hang is a hang for whoever asks.
HANG = 3.0
REFUSED = {"type": "validation_error", "message": {"quotes": ["Refused for good (chaos)."]}}
ANY_CALL: tuple[Mapping[str, Any], ...] = (
    {"kind": "hang", "seconds": HANG},
    {"kind": "drip", "seconds": HANG},
    {"kind": "reset"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 502},
    {"kind": "status", "status": 503},
    {"kind": "garbage"},
    {"kind": "throttle", "seconds": 1},
    {"kind": "process_then_hang", "seconds": HANG},
    {"kind": "process_then_reset"},
    {"kind": "process_then_status", "status": 504},
)
MISSING = tuple({"kind": "missing_policy", "how": how} for how in ("null", "absent"))
FAULTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "create_quote": (*ANY_CALL, MISSING[0]),
    "create_booking": (*ANY_CALL, *MISSING, {"kind": "status", "status": 400, "body": REFUSED}),
    "opt_out": ANY_CALL,
    "confirm_booking": ANY_CALL,
    "get_quote": ANY_CALL,
    "get_booking": ANY_CALL,
    "webhook": (
        {"kind": "twice"},
        {"kind": "late", "seconds": HANG},
        {"kind": "reorder"},
        {"kind": "never"},
    ),
}
# How many faults of an operation there are for a hundred orders.
PER_HUNDRED = {
    "create_quote": 10,
    "create_booking": 25,
    "opt_out": 10,
    "confirm_booking": 5,
    "get_quote": 5,
    "get_booking": 5,
    "webhook": 20,
}
OUTAGES = {KILL_WORKER: 3, CUT_BROKER: 1, CUT_DATABASE: 1, END_CONNECTIONS: 1}


@dataclass(frozen=True, slots=True)
class Misfortune:
    """Something that goes wrong when the order `at` begins."""

    at: int
    what: str
    seconds: float = 0.0
    fault: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what it is called in the report."""
        return f"{self.fault['operation']}: {self.fault['kind']}" if self.fault else self.what


def misfortunes(orders: int, seed: int) -> list[Misfortune]:
    """Return everything that will go wrong in a run of `orders`, in its order."""
    chance = random.Random(f"misfortunes-{seed}")
    planned = [*_at_xcover(orders, chance), *_of_our_own(orders, chance)]
    return sorted(planned, key=lambda one: one.at)


def _at_xcover(orders: int, chance: random.Random) -> Iterator[Misfortune]:
    for operation, share in PER_HUNDRED.items():
        number = max(1, round(orders * share / 100))
        for fault in _dealt(FAULTS[operation], number, chance):
            yield Misfortune(
                chance.randrange(orders), XCOVER, fault={"operation": operation, **fault}
            )


def _dealt(
    cards: tuple[Mapping[str, Any], ...], number: int, chance: random.Random
) -> Iterator[Mapping[str, Any]]:
    """Yield so many, each as often as the others: shuffled anew when all have been dealt."""
    deck: list[Mapping[str, Any]] = []
    for _ in range(number):
        if not deck:
            deck = chance.sample(cards, len(cards))
        yield deck.pop()


def _of_our_own(orders: int, chance: random.Random) -> Iterator[Misfortune]:
    for what, share in OUTAGES.items():
        for _ in range(max(1, round(orders * share / 100))):
            # Not before there is anything to lose.
            at = chance.randrange(min(orders - 1, 3), orders)
            yield Misfortune(at, what, seconds=chance.uniform(0.5, 2.0))
