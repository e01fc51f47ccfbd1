"""How many new quotes one visitor may cause.

A visitor is what the adapter's `get_visitor` says, by default the session. It is kept as a keyed
hash, in the cache only, and for WINDOW seconds.
"""

from __future__ import annotations

import time

from django.core.cache.backends.base import BaseCache
from django.utils.crypto import salted_hmac

from django_xcover import safe_logging
from django_xcover.clients import cache as shared_cache
from django_xcover.conf import get_config
from django_xcover.offers.carts import CartToInsure

logger = safe_logging.get_logger("django_xcover.offers")

WINDOW = 600


def may_quote(cart: CartToInsure) -> bool:
    """Return whether the visitor of `cart` has new quotes left in this window of time."""
    name = _key(cart)
    used = shared_cache.attempt(lambda cache: int(cache.get(name, 0)), 0)
    return used < get_config().visitor_quotes


def count(cart: CartToInsure) -> None:
    """Count a new quote. The one that uses up the limit is logged, without saying whose it is."""
    name = _key(cart)
    used = shared_cache.attempt(lambda cache: _add(cache, name), 0)
    if used == get_config().visitor_quotes:
        logger.warning("A visitor has used up VISITOR_QUOTES (%s): no more offers for now.", used)


def retry_after() -> int:
    """Return the seconds until a visitor has new quotes again."""
    return WINDOW - int(time.time()) % WINDOW


def _add(cache: BaseCache, name: str) -> int:
    cache.add(name, 0, WINDOW)
    try:
        return cache.incr(name)
    except ValueError:  # thrown out in between: a small cache that is full
        return 1


def _key(cart: CartToInsure) -> str:
    hashed = salted_hmac("django_xcover.visitor", cart.visitor, algorithm="sha256").hexdigest()
    window = str(int(time.time()) // WINDOW)
    return shared_cache.key("visitor", cart.account, hashed, window)
