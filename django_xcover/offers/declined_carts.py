"""Carts for which XCover has no offer, remembered for a while, so that not every page asks again.

By what is quoted and nothing else: a cart that changes is another one, and the same goods in
another shopper's cart are refused for the same reason.
"""

from __future__ import annotations

from django_xcover.client import RequestRefused, XCoverError
from django_xcover.clients import cache as shared_cache
from django_xcover.conf import get_config
from django_xcover.models import OfferOutcome
from django_xcover.offers.carts import CartToInsure


def remember(cart: CartToInsure, reason: OfferOutcome) -> None:
    """Do not ask for `cart` for `XCOVER["REFUSAL_LIFETIME"]` seconds."""
    lifetime = get_config().refusal_lifetime
    shared_cache.attempt(lambda cache: cache.set(_key(cart), reason.value, lifetime), None)


def remembered(cart: CartToInsure) -> OfferOutcome | None:
    """Return why XCover has just had no offer for `cart`, None when it has not said so."""
    found = shared_cache.attempt(lambda cache: cache.get(_key(cart)), None)
    return OfferOutcome(found) if found in OfferOutcome.values else None


def is_refusal(error: XCoverError) -> bool:
    """Return whether asking for the same again would be answered the same."""
    return isinstance(error, RequestRefused) and error.permanent


def _key(cart: CartToInsure) -> str:
    return shared_cache.key("refused", cart.account, cart.fingerprint)
