"""Cooling-off periods with a full refund, by product and country, as dated rows.

They come from partners' public help pages (2026) and recorded responses; rows without such a source
say so. A later row for the same product and country replaces an earlier one from its date on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ANYWHERE = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """The cooling-off period in `days` of a `policy_type` sold to `country` ("" for all others).

    It applies from `since`. `refundable_afterwards` is whether there is a pro rata refund later.
    """

    since: datetime
    policy_type: str
    country: str
    days: int
    refundable_afterwards: bool
    source: str

    @property
    def period(self) -> timedelta:
        """Return the cooling-off period."""
        return timedelta(days=self.days)


FIRST = datetime(2018, 1, 1, tzinfo=UTC)
EVENT, TRAVEL = "event_ticket_protection", "comprehensive_travel_insurance"
RETAIL, PARCEL, RENTERS = "product_insurance", "parcel_insurance", "renters_insurance"
HELP = "partners' help pages, 2026"
RULES = (
    Rule(FIRST, EVENT, ANYWHERE, 14, False, "recorded 2021: 14 days; " + HELP),
    Rule(FIRST, TRAVEL, "US", 15, False, HELP + " (Indiana 30, six states 21: not told apart)"),
    Rule(FIRST, TRAVEL, "CA", 10, False, HELP),
    Rule(FIRST, TRAVEL, "GB", 14, False, HELP),
    Rule(FIRST, TRAVEL, "AU", 14, False, HELP),
    Rule(FIRST, TRAVEL, "NZ", 14, False, HELP),
    Rule(FIRST, TRAVEL, ANYWHERE, 14, False, HELP + " for the EU; inferred elsewhere"),
    Rule(FIRST, RETAIL, ANYWHERE, 28, True, "recorded 2026: 28 days, 6 of 6; inferred afterwards"),
    Rule(FIRST, PARCEL, ANYWHERE, 14, True, "inferred"),
    Rule(FIRST, RENTERS, ANYWHERE, 14, True, "inferred"),
)


def rule_for(policy_type: str, country: str, at: datetime) -> Rule:
    """Return the latest rule for a policy that was confirmed at this time."""
    known = [rule for rule in RULES if rule.policy_type == policy_type and rule.since <= at]
    own = [rule for rule in known if rule.country == country]
    return max(own or [r for r in known if r.country == ANYWHERE], key=lambda rule: rule.since)
