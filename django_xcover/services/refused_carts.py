"""Carts for which XCover has no offer, remembered for a while, so that not every page asks again.

By what is quoted and nothing else: a cart that changes is another one, and the same goods in
another shopper's cart are refused for the same reason.
"""

from __future__ import annotations

from django_xcover.client import RequestRefused, XCoverError
from django_xcover.conf import get_config
from django_xcover.services import shared_cache
from django_xcover.services.carts import CartToInsure


def remember(cart: CartToInsure) -> None:
    """Do not ask for `cart` for `XCOVER["REFUSAL_LIFETIME"]` seconds."""
    lifetime = get_config().refusal_lifetime
    shared_cache.attempt(lambda cache: cache.set(_key(cart), 1, lifetime), None)


def is_remembered(cart: CartToInsure) -> bool:
    """Return whether XCover has just said that it has no offer for `cart`."""
    return shared_cache.attempt(lambda cache: cache.get(_key(cart)) == 1, otherwise=False)


def is_refusal(error: XCoverError) -> bool:
    """Return whether asking for the same again would be answered the same."""
    return isinstance(error, RequestRefused) and error.permanent


def _key(cart: CartToInsure) -> str:
    return shared_cache.key("refused", cart.account, cart.fingerprint)
