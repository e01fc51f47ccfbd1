"""One process at a time quotes a cart, whichever process is asked for it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Subquery
from django.utils import timezone

from django_xcover.clients import cache
from django_xcover.conf import get_config
from django_xcover.models import QuoteAttempt
from django_xcover.offers import cart_packages
from django_xcover.offers.carts import CartToInsure

# Seconds that writing the answer down may take, after the deadline of the call.
WRITING = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An attempt to quote a cart: this process's own (`is_mine`) or another one's.

    `quoted_at` is when the cart's newest open package was quoted, as it stood behind the claim.
    """

    row: QuoteAttempt
    is_mine: bool
    quoted_at: datetime | None


def claim(cart: CartToInsure) -> Claim:
    """Begin an attempt, or return the one that is under way. Two queries, or three to take over."""
    mine = QuoteAttempt(cart=_key(cart), fingerprint=cart.fingerprint, token=uuid.uuid4())
    QuoteAttempt.objects.bulk_create([mine], ignore_conflicts=True)
    packages = cart_packages.open_packages(cart.account, cart.cart_reference)
    rows = QuoteAttempt.objects.annotate(quoted_at=Subquery(packages.values("quoted_at")[:1]))
    row = rows.filter(cart=mine.cart).first()
    if row is None:  # the other attempt has just ended
        return claim(cart)
    if row.token != mine.token and not is_alive(row) and _take_over(row, mine):
        row.token, row.fingerprint = mine.token, mine.fingerprint
    return Claim(row=row, is_mine=row.token == mine.token, quoted_at=row.quoted_at)


def find(cart: CartToInsure) -> QuoteAttempt | None:
    """Return the attempt that is under way for `cart`. One query."""
    row = QuoteAttempt.objects.filter(cart=_key(cart)).first()
    return row if row is not None and is_alive(row) else None


def release(row: QuoteAttempt) -> None:
    """End this process's own attempt."""
    QuoteAttempt.objects.filter(cart=row.cart, token=row.token).delete()


def is_alive(row: QuoteAttempt) -> bool:
    """Return whether the process of this attempt may still be at work.

    One from the future was begun by a clock that ran ahead, and counts as dead: it must not hold
    the cart until that time comes.
    """
    age = timezone.now() - row.started_at
    return abs(age) < timedelta(seconds=get_config().late_answer_deadline + WRITING)


def is_overdue(row: QuoteAttempt) -> bool:
    """Return whether a shopper has waited long enough for this attempt."""
    return timezone.now() - row.started_at > timedelta(seconds=get_config().offer_deadline)


def _take_over(row: QuoteAttempt, mine: QuoteAttempt) -> bool:
    """Replace the attempt of a dead process by `mine`; True for exactly one caller."""
    rows = QuoteAttempt.objects.filter(cart=row.cart, token=row.token)
    values = {"token": mine.token, "fingerprint": mine.fingerprint, "started_at": mine.started_at}
    return bool(rows.update(**values))


def _key(cart: CartToInsure) -> str:
    """Return what is unique to the cart; carts without a reference differ by what is in them."""
    which = cart.cart_reference or f"{cart.shopper_reference}\0{cart.fingerprint}"
    return cache.key("cart", cart.account, which).rpartition(":")[2]
