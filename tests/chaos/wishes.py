"""What people want of their cover after they have bought it, and what came of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from tests.chaos.browser import Record


class Wish(StrEnum):
    """Why somebody comes back; by telephone it is XCover that they turn to."""

    NOTHING = "nothing"
    CANCEL = "cancel"
    CHANGE = "change"
    RENEW = "renew"
    TELEPHONE = "telephone"


WISHES = (Wish.CANCEL, Wish.CANCEL, Wish.TELEPHONE, Wish.NOTHING)
# Only a device has a value that can be changed, and cover that is renewed.
WISHES_FOR_A_DEVICE = (Wish.CANCEL, Wish.RENEW, Wish.RENEW, Wish.CHANGE, Wish.TELEPHONE)


@dataclass
class AfterSale:
    """What a shopper did later, and the money the page showed for it.

    `asked` is when the last button was pressed, `done` when the page after it said so. `amount` is
    the refund, the price of the next period, or what a change costs. `policies` are those named.
    """

    wish: Wish = Wish.NOTHING
    policies: tuple[str, ...] = ()
    amount: Decimal | None = None
    asked: bool = False
    done: bool = False
    record: Record = field(default_factory=Record)


def wish_of(chance: random.Random, *, has_device: bool) -> Wish:
    """Return what somebody who bought such things will want."""
    return chance.choice(WISHES_FOR_A_DEVICE if has_device else WISHES)
