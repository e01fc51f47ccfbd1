"""What goes wrong and when: from the seed alone, and counted in orders, not in seconds."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

AWAY = "XCover is away"
KILL_WORKER = "kill a worker with -9"
CUT_BROKER = "cut the broker"
CUT_DATABASE = "cut the database"
END_CONNECTIONS = "end the database's connections"
XCOVER = "XCover"

# Seconds beyond the deadlines of a booking and of an offer, so that a hang is a hang for both.
HANG = 3.0
# Seconds; see the settings for what they stand for. XCover is away for more than the 5 s without an
# answer after which faults in a row open the circuit of checkout.
OUTAGE, AWAY_FOR = (0.5, 2.0), (7.0, 8.0)
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
WRONG_PRICE = {"kind": "wrong_price"}
FOR_GOOD = {"kind": "status", "status": 400, "body": REFUSED}
WRITING = (*ANY_CALL, FOR_GOOD)
READING = (*ANY_CALL, WRONG_PRICE)
TELLING: tuple[Mapping[str, Any], ...] = (
    {"kind": "twice"},
    {"kind": "late", "seconds": HANG},
    {"kind": "reorder"},
    {"kind": "never"},
    {"kind": "wrong_price"},
)
FAULTS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "create_quote": (*ANY_CALL, MISSING[0]),
    "create_booking": (*WRITING, *MISSING, WRONG_PRICE),
    "opt_out": ANY_CALL,
    "confirm_booking": ANY_CALL,
    "get_quote": ANY_CALL,
    "get_booking": READING,
    "cancel_booking": WRITING,
    "confirm_cancellation": WRITING,
    "quote_modification": WRITING,
    "confirm_modification": WRITING,
    "quote_for_renewal": (*WRITING, WRONG_PRICE),
    "confirm_renewal": (*WRITING, WRONG_PRICE),
    "webhook": TELLING,
}

# By which XCover tells a price that it does not hold; what a webhook tells changes nothing.
LIES = ("get_booking: wrong_price",)


@dataclass(frozen=True)
class Act:
    """A part of the run: faults of each operation, and outages, for a hundred of its steps.

    `at_once` are operations whose faults all wait when the act begins: they are called in a burst.
    """

    name: str
    faults: Mapping[str, int]
    outages: Mapping[str, float]
    at_once: frozenset[str] = frozenset()


# A step is an order; those who cancel or change do it some orders later.
SALES = Act(
    "sales",
    {
        "create_quote": 10,
        "create_booking": 25,
        "opt_out": 10,
        "confirm_booking": 5,
        "get_quote": 5,
        "get_booking": 6,
        # About ten shoppers in a hundred cancel. With more faults than that, those that nobody has
        # met yet queue up, and one cancellation meets ten in a row: that is no weather.
        "cancel_booking": 4,
        "confirm_cancellation": 4,
        "quote_modification": 3,
        "confirm_modification": 3,
        "webhook": 20,
    },
    {KILL_WORKER: 3, CUT_BROKER: 1, CUT_DATABASE: 1, END_CONNECTIONS: 1, AWAY: 0.4},
)
# A step is somebody who comes to renew. By then time has moved, and XCover has told of every period
# that ends.
RENEWALS = Act(
    "renewals",
    {
        "quote_for_renewal": 20,
        "confirm_renewal": 30,
        "get_quote": 10,
        "get_booking": 10,
        "webhook": 20,
    },
    {KILL_WORKER: 3, CUT_BROKER: 2, CUT_DATABASE: 2, END_CONNECTIONS: 2, AWAY: 2},
    at_once=frozenset({"quote_for_renewal", "webhook"}),
)


@dataclass(frozen=True, slots=True)
class Misfortune:
    """Something that goes wrong when the step `at` of an act begins."""

    at: int
    what: str
    seconds: float = 0.0
    fault: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Return what it is called in the report."""
        return f"{self.fault['operation']}: {self.fault['kind']}" if self.fault else self.what


def misfortunes(steps: int, seed: int, act: Act = SALES) -> list[Misfortune]:
    """Return everything that will go wrong in an act of so many steps, in its order."""
    chance = random.Random(f"misfortunes-{act.name}-{seed}")
    planned = [*_at_xcover(steps, chance, act), *_of_our_own(steps, chance, act)] if steps else []
    return sorted(planned, key=lambda one: one.at)


def _at_xcover(steps: int, chance: random.Random, act: Act) -> Iterator[Misfortune]:
    for operation, share in act.faults.items():
        number = max(1, round(steps * share / 100))
        last = 1 if operation in act.at_once else steps
        for fault in _dealt(FAULTS[operation], number, chance):
            yield Misfortune(
                chance.randrange(last), XCOVER, fault={"operation": operation, **fault}
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


def _of_our_own(steps: int, chance: random.Random, act: Act) -> Iterator[Misfortune]:
    for what, share in act.outages.items():
        # In a short act XCover is never away: there would be nothing else.
        for _ in range(max(what != AWAY, round(steps * share / 100))):
            # Not before there is anything to lose.
            at = chance.randrange(min(steps - 1, 3), steps)
            seconds = chance.uniform(*(AWAY_FOR if what == AWAY else OUTAGE))
            yield Misfortune(at, what, seconds=seconds)
