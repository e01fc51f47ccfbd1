"""The hold of a basket: it is placed before the payment, and released when the basket is thawed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.http import HttpRequest

from django_xcover.contrib.oscar.cart import OscarCart
from django_xcover.cover import Cover, held_cover, hold_cover, release_cover

_kept = ContextVar("kept", default=False)


def is_frozen(basket: Any) -> bool:
    """Return whether `basket` is being paid for, or its order is being placed."""
    return basket.status in {basket.FROZEN, basket.SUBMITTED}


def hold(request: HttpRequest, cart: OscarCart) -> Cover:
    """Hold the cover, or return what is held if the basket comes back from a payment page."""
    held = held_cover(cart) if is_frozen(cart.basket) else None
    return held or hold_cover(request, cart)


def release(basket: Any) -> None:
    """Release what is held for `basket`, whose payment failed."""
    held = None if _kept.get() else held_cover(OscarCart(basket))
    if held is not None:
        release_cover(held.hold)


@contextmanager
def keep_holds() -> Iterator[None]:
    """Keep what is held inside the block: it was charged, although there is no order."""
    token = _kept.set(True)
    try:
        yield
    finally:
        _kept.reset(token)
