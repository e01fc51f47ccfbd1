"""What the comparison can find."""

from __future__ import annotations

from dataclasses import dataclass, field

# Of these there must be none.
WRONG = (
    "lost", "duplicated", "opt_out_missing", "wrong_price", "stuck", "unexplained", "tried_out",
    "mirror_differs", "shopper_differs", "cancel_lost", "cancel_duplicated", "refund_differs",
    "change_lost", "renewal_lost", "renewal_duplicated", "booked_unpaid", "order_not_cancelled",
    "telephone_lost", "charged_without_order", "hold_left",
)  # fmt: skip


@dataclass
class Findings:
    """Order numbers by what is true of them; `reasons` say besides why a person is needed."""

    paid_with_cover: set[str] = field(default_factory=set)
    booked: set[str] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    duplicated: set[str] = field(default_factory=set)
    opted_out: set[str] = field(default_factory=set)
    opt_out_missing: set[str] = field(default_factory=set)
    wrong_price: set[str] = field(default_factory=set)
    price_flagged: set[str] = field(default_factory=set)
    stuck: set[str] = field(default_factory=set)
    needs_person: set[str] = field(default_factory=set)
    tried_out: set[str] = field(default_factory=set)
    unexplained: set[str] = field(default_factory=set)
    reasons: set[str] = field(default_factory=set)
    cancelled: set[str] = field(default_factory=set)
    cancel_lost: set[str] = field(default_factory=set)
    cancel_duplicated: set[str] = field(default_factory=set)
    refund_differs: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    change_lost: set[str] = field(default_factory=set)
    renewed: set[str] = field(default_factory=set)
    renewal_lost: set[str] = field(default_factory=set)
    renewal_duplicated: set[str] = field(default_factory=set)
    unpaid_with_cover: set[str] = field(default_factory=set)
    booked_unpaid: set[str] = field(default_factory=set)
    order_not_cancelled: set[str] = field(default_factory=set)
    telephoned: set[str] = field(default_factory=set)
    telephone_lost: set[str] = field(default_factory=set)
    charged_without_order: set[str] = field(default_factory=set)
    hold_left: set[str] = field(default_factory=set)
    status_went_back: set[str] = field(default_factory=set)
    mirror_differs: set[str] = field(default_factory=set)
    shopper_differs: set[str] = field(default_factory=set)

    def is_open(self, number: str) -> bool:
        """Return whether the order waits for a person, or for a worker."""
        return number in self.needs_person | self.stuck

    def wrong(self) -> dict[str, list[str]]:
        """Return what is true and must not be, by the number of its order."""
        numbers = sorted(set[str]().union(*(getattr(self, name) for name in WRONG)))
        return {
            number: [name for name in WRONG if number in getattr(self, name)] for number in numbers
        }
