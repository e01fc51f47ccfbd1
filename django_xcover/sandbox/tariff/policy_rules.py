"""The rules of a product, applied to a policy at a point in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django_xcover.sandbox import money, transitions
from django_xcover.sandbox.packages import Priced, Quote
from django_xcover.sandbox.products import PRODUCTS

# Cooling-off periods with a full refund, by product and country, as dated rows. They come from
# partners' public help pages (2026) and recorded responses; rows without such a source say so. A
# later row for the same product and country replaces an earlier one from its date on.
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
    Rule(FIRST, TRAVEL, "US", 15, False, HELP + " (Indiana 30, six states 21: not distinguished)"),
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


# Inferred: no page says when a renewal can be quoted. Sixty days before and after the end, so that
# a yearly policy can still be renewed after the clock was moved by 400 days.
RENEWAL_OPENS = timedelta(days=60)
RENEWAL_LAPSES = timedelta(days=60)


def can_be_cancelled(quote: Quote, now: datetime) -> bool:
    """Return whether the quote is confirmed and its product still allows a cancellation."""
    if quote.status != transitions.CONFIRMED or quote.priced is None:
        return False
    named = PRODUCTS[quote.policy_type].cancellable_until
    ends = (quote.fields.get(named) if named else None, quote.priced.policy_end)
    return all(now < end for end in ends if end is not None)


def can_be_modified(quote: Quote, now: datetime) -> bool:
    """Return whether the quote is confirmed and its policy has not ended."""
    end = quote.priced.policy_end if quote.priced else now
    ended = end is not None and end <= now
    return quote.status == transitions.CONFIRMED and not ended


def refund(quote: Quote, at: datetime, currency: str, country: str) -> Decimal:
    """Return the refund if the quote is cancelled at this time.

    Recorded: a full refund during the cooling-off period. Afterwards none for events and travel
    (partners' help pages). Inferred: the formula for the rest, because the page only says pro rata:
    the amount paid, less the share of the price for the time that has passed, to the microsecond,
    in whole minor units; and none for cover without an end.
    """
    if quote.priced is None or quote.confirmed_at is None:
        return Decimal(0)
    rule = rule_for(quote.policy_type, country, quote.confirmed_at)
    cools_off_until = quote.confirmed_at + rule.period
    if rule.refundable_afterwards:
        cools_off_until = max(cools_off_until, quote.priced.policy_start)
    if at <= cools_off_until:
        return paid(quote)
    if not rule.refundable_afterwards or quote.priced.policy_end is None:
        return Decimal(0)
    left = money.rounded(quote.price * _share_left(quote.priced, at), currency)
    return max(min(paid(quote), quote.price) - (quote.price - left), Decimal(0))


def paid(quote: Quote) -> Decimal:
    """Return the amount paid: the price, or the paid instalments plus the cost of changes."""
    if not quote.instalments:
        return quote.price
    parts = [entry["amount"] for entry in quote.instalments if entry["status"] == "PAID"]
    return sum(parts, quote.settled)


def _share_left(priced: Priced, at: datetime) -> Decimal:
    if priced.policy_end is None:
        raise RuntimeError("Cover without an end has no remaining share.")
    left, whole = priced.policy_end - at, priced.policy_end - priced.policy_start
    microsecond = timedelta(microseconds=1)
    return Decimal(max(left // microsecond, 0)) / Decimal(whole // microsecond)


def is_renewable(quote: Quote) -> bool:
    """Return whether the policy type can be renewed."""
    product = PRODUCTS.get(quote.policy_type)
    return product is not None and product.renewable


def next_renewal(quote: Quote) -> datetime | None:
    """Return when the next period would begin, or None if there is none."""
    if quote.priced is None or quote.status != transitions.CONFIRMED or quote.renewal_declined:
        return None
    return quote.priced.policy_end if is_renewable(quote) else None


def renewal_refusal(quote: Quote, now: datetime) -> str | None:
    """Return why this quote cannot be renewed now, or None if it can. Inferred: the messages."""
    if quote.status == transitions.RENEWED:
        return f"Quote {quote.id} is already renewed"
    if quote.renewal_declined:
        return f"The renewal of quote {quote.id} was declined"
    ends = next_renewal(quote)
    if ends is None:
        return f"Quote {quote.id} can not be renewed"
    if now < ends - RENEWAL_OPENS:
        return f"Quote {quote.id} can not be renewed before {ends - RENEWAL_OPENS:%Y-%m-%d}"
    if now > ends + RENEWAL_LAPSES:
        return f"Quote {quote.id} could be renewed until {ends + RENEWAL_LAPSES:%Y-%m-%d}"
    return None
