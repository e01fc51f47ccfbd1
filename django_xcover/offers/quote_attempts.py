"""Let only one process at a time quote a cart."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Subquery
from django.utils import timezone

from django_xcover.clients import cache
from django_xcover.conf import get_config
from django_xcover.models import QuoteAttempt
from django_xcover.offers import carts
from django_xcover.offers.carts import CartToInsure

# Seconds allowed for storing the answer after the deadline of the call.
WRITING = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An attempt to quote a cart, by this process (`is_mine`) or another one.

    `quoted_at` is when the cart's newest open package was quoted, read after the claim.
    """

    row: QuoteAttempt
    is_mine: bool
    quoted_at: datetime | None


def claim(cart: CartToInsure) -> Claim:
    """Begin an attempt, or return the current one. Two queries, or three to take over."""
    mine = QuoteAttempt(cart=_key(cart), fingerprint=cart.fingerprint, token=uuid.uuid4())
    QuoteAttempt.objects.bulk_create([mine], ignore_conflicts=True)
    packages = carts.open_packages(cart.account, cart.cart_reference)
    rows = QuoteAttempt.objects.annotate(quoted_at=Subquery(packages.values("quoted_at")[:1]))
    row = rows.filter(cart=mine.cart).first()
    if row is None:  # the other attempt has just ended
        return claim(cart)
    if row.token != mine.token and not is_alive(row) and _take_over(row, mine):
        row.token, row.fingerprint = mine.token, mine.fingerprint
    return Claim(row=row, is_mine=row.token == mine.token, quoted_at=row.quoted_at)


def find(cart: CartToInsure) -> QuoteAttempt | None:
    """Return the current attempt to quote `cart`, or None. One query."""
    row = QuoteAttempt.objects.filter(cart=_key(cart)).first()
    return row if row is not None and is_alive(row) else None


def release(row: QuoteAttempt) -> None:
    """End this process's attempt."""
    QuoteAttempt.objects.filter(cart=row.cart, token=row.token).delete()


def is_alive(row: QuoteAttempt) -> bool:
    """Return whether the process of this attempt may still be at work.

    An attempt that starts in the future comes from a fast clock. It counts as dead, or it would
    block the cart until that time.
    """
    age = timezone.now() - row.started_at
    return abs(age) < timedelta(seconds=get_config().late_answer_deadline + WRITING)


def is_overdue(row: QuoteAttempt) -> bool:
    """Return whether this attempt has run past XCOVER["OFFER_DEADLINE"]."""
    return timezone.now() - row.started_at > timedelta(seconds=get_config().offer_deadline)


def _take_over(row: QuoteAttempt, mine: QuoteAttempt) -> bool:
    """Replace a dead process's attempt with `mine`; return True for exactly one caller."""
    rows = QuoteAttempt.objects.filter(cart=row.cart, token=row.token)
    values = {"token": mine.token, "fingerprint": mine.fingerprint, "started_at": mine.started_at}
    return bool(rows.update(**values))


def _key(cart: CartToInsure) -> str:
    """Return a key unique to the cart; without a reference it is made from the contents."""
    which = cart.cart_reference or f"{cart.shopper_reference}\0{cart.fingerprint}"
    return cache.key("cart", cart.account, which).rpartition(":")[2]
