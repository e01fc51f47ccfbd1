"""Limit how many new quotes one visitor may cause.

The adapter's `get_visitor` identifies a visitor, by default by session. Only a keyed hash is
stored, in the cache, for WINDOW seconds.
"""

from __future__ import annotations

import time

from django.core.cache.backends.base import BaseCache
from django.utils.crypto import salted_hmac

from django_xcover import safe_logging
from django_xcover.clients import cache
from django_xcover.conf import get_config
from django_xcover.offers.carts import CartToInsure

logger = safe_logging.get_logger("django_xcover.offers")

WINDOW = 600


def may_quote(cart: CartToInsure) -> bool:
    """Return whether the visitor of `cart` has new quotes left in the current window."""
    name = _key(cart)
    used = cache.attempt(lambda backend: int(backend.get(name, 0)), 0)
    return used < get_config().visitor_quotes


def count(cart: CartToInsure) -> None:
    """Count a new quote. The one that reaches the limit is logged, without naming the visitor."""
    name = _key(cart)
    used = cache.attempt(lambda backend: _add(backend, name), 0)
    if used == get_config().visitor_quotes:
        logger.warning("A visitor has used up VISITOR_QUOTES (%s): no more offers for now.", used)


def retry_after() -> int:
    """Return the number of seconds until the next window."""
    return WINDOW - int(time.time()) % WINDOW


def _add(backend: BaseCache, name: str) -> int:
    backend.add(name, 0, WINDOW)
    try:
        return backend.incr(name)
    except ValueError:  # evicted in between, from a small cache that is full
        return 1


def _key(cart: CartToInsure) -> str:
    hashed = salted_hmac("django_xcover.visitor", cart.visitor, algorithm="sha256").hexdigest()
    window = str(int(time.time()) // WINDOW)
    return cache.key("visitor", cart.account, hashed, window)
