"""Remember carts for which XCover has no offer, so that not every page asks again.

The key is the fingerprint of the quoted data. A changed cart has another key, and the same goods in
another shopper's cart have the same one, because they are declined for the same reason.
"""

from __future__ import annotations

from django_xcover.client import RequestRefused, XCoverError
from django_xcover.clients import cache
from django_xcover.conf import get_config
from django_xcover.models import OfferOutcome
from django_xcover.offers.carts import CartToInsure


def remember(cart: CartToInsure, reason: OfferOutcome) -> None:
    """Remember for `XCOVER["REFUSAL_LIFETIME"]` seconds that there is no offer for `cart`."""
    lifetime = get_config().refusal_lifetime
    cache.attempt(lambda backend: backend.set(_key(cart), reason.value, lifetime), None)


def remembered(cart: CartToInsure) -> OfferOutcome | None:
    """Return why XCover recently had no offer for `cart`; None if that isn't remembered."""
    reason = cache.attempt(lambda backend: backend.get(_key(cart)), None)
    return OfferOutcome(reason) if reason in OfferOutcome.values else None


def is_refusal(error: XCoverError) -> bool:
    """Return whether XCover would give the same answer to the same request."""
    return isinstance(error, RequestRefused) and error.permanent


def _key(cart: CartToInsure) -> str:
    return cache.key("refused", cart.account, cart.fingerprint)
