"""What the rules of a product say about one policy at one moment."""

from __future__ import annotations

from datetime import datetime, timedelta

from django_xcover.sandbox import states
from django_xcover.sandbox.packages import Quote
from django_xcover.sandbox.products import PRODUCTS

# Inferred: no page says when a renewal can be quoted. Sixty days on either side of the end, so
# that a clock moved on by 400 days finds a yearly policy that can still be renewed.
RENEWAL_OPENS = timedelta(days=60)
RENEWAL_LAPSES = timedelta(days=60)


def can_be_cancelled(quote: Quote, now: datetime) -> bool:
    """Return whether the quote is confirmed and its policy has not ended."""
    ended = quote.priced is None or quote.priced.policy_end <= now
    return quote.status == states.CONFIRMED and not ended


def is_renewable(quote: Quote) -> bool:
    """Return whether the policy type is one that is renewed."""
    product = PRODUCTS.get(quote.policy_type)
    return product is not None and product.renewable


def next_renewal(quote: Quote) -> datetime | None:
    """Return when the next period would begin, or None when there will be none."""
    if quote.priced is None or quote.status != states.CONFIRMED or quote.renewal_declined:
        return None
    return quote.priced.policy_end if is_renewable(quote) else None


def renewal_refusal(quote: Quote, now: datetime) -> str | None:
    """Return why this quote cannot be renewed now, or None when it can. Inferred: the words."""
    if quote.status == states.RENEWED:
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
