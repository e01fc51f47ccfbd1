"""The price of cover on a product's page, which never waits for XCover.

XCover is asked in a thread, as for an offer (`quoting`), so that no worker of the shop is taken
while it answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from django_xcover import values
from django_xcover.adapters import get_adapter
from django_xcover.clients import cache, circuit_breaker, rate_limits
from django_xcover.clients.cache import CacheScope
from django_xcover.offers import background, carts, fast_quote
from django_xcover.offers.carts import CartToInsure
from django_xcover.offers.fast_quote import FastOffer

LONGEST_REFERENCE = 100
# The part of the threads that prices may use. The rest is for offers at checkout.
SHARE = 0.5
# Seconds for which a request waits for its price: half of XCover's recorded answers to a quote
# took less than 0.92 s. Only one request in all processes waits, the others are asked to come back.
WAIT = 1


@dataclass(frozen=True, slots=True)
class PriceLook:
    """The price of a product's cover, as far as it is known.

    `reference` is set if XCover hasn't been asked yet: pass it to `look`. `is_waiting` means that
    XCover is being asked: look again. `is_limited` means that this visitor has reached the limit on
    new prices.
    """

    offer: FastOffer | None = None
    reference: str = ""
    is_waiting: bool = False
    is_limited: bool = False


NOTHING = PriceLook()
NOT_YET = PriceLook(is_waiting=True)


def look_on_page(request: HttpRequest, product: Any) -> PriceLook:
    """Return the cached price of cover for `product`, without a call to XCover."""
    to_insure = _read(request, product)
    if to_insure is None:
        return NOTHING
    known, offer = fast_quote.cached_price(to_insure.request, account=to_insure.account)
    if known or _is_held_back(to_insure.account):
        return PriceLook(offer)
    return PriceLook(reference=to_insure.cart_reference)


def look(request: HttpRequest, reference: str) -> PriceLook:
    """Return the price of cover for the product with this reference; ask XCover if necessary.

    XCover is asked in the background, and only once for requests about the same price. Waits for
    `WAIT` seconds at most, in one request at a time. Without threads or without a cache, XCover is
    asked before this function returns, within `XCOVER["OFFER_DEADLINE"]`. XCover's failures are
    logged and never raised.
    """
    to_insure = _find(request, reference)
    if to_insure is None:
        return NOTHING
    known, offer = fast_quote.cached_price(to_insure.request, account=to_insure.account)
    if known or _is_held_back(to_insure.account):
        return PriceLook(offer)
    if not carts.may_quote(to_insure):
        return PriceLook(is_limited=True)
    if not fast_quote.claim(to_insure.request, account=to_insure.account):
        return NOT_YET
    return _ask(to_insure)


def _ask(to_insure: CartToInsure) -> PriceLook:
    request, account = to_insure.request, to_insure.account
    scope = cache.cache_scope()
    if scope == CacheScope.UNAVAILABLE:
        return NOTHING  # a thread could not hand its answer over, and a worker must not wait for it
    if scope == CacheScope.NONE or not background.is_possible():
        carts.count_quote(to_insure)
        return PriceLook(fast_quote.price(request, account=account))
    thread = background.start(lambda: fast_quote.fetch(request, account=account), share=SHARE)
    if thread is None:
        fast_quote.release(request, account=account)
        return NOT_YET
    carts.count_quote(to_insure)
    # Where each process has its own cache, nothing tells whether another one waits already.
    if scope != CacheScope.SHARED or not _may_wait():
        return NOT_YET
    thread.join(WAIT)
    known, offer = fast_quote.cached_price(request, account=account)
    return PriceLook(offer) if known else NOT_YET


def _may_wait() -> bool:
    return cache.attempt(lambda backend: backend.add(cache.key("price_wait"), True, WAIT), False)


def _is_held_back(account: str) -> bool:
    """Return whether no call would be made: XCover is down, or has asked for a pause."""
    return circuit_breaker.is_open(account) or rate_limits.is_paused(account)


def _find(request: HttpRequest, reference: str) -> CartToInsure | None:
    # Some databases raise an error for a NUL in a text.
    if not reference or len(reference) > LONGEST_REFERENCE or "\x00" in reference:
        return None
    product = None
    with carts.log_errors("The product could not be found for a price"):
        product = get_adapter().get_product(reference)
    return None if product is None else _read(request, product)


def _read(request: HttpRequest, product: Any) -> CartToInsure | None:
    """Return the product as the only content of a cart; None if it isn't insured."""
    to_insure = None
    with carts.log_errors("The product could not be read for a price"):
        adapter = get_adapter()
        quote_request = adapter.get_product_quote_request(request, product)
        if quote_request is not None and quote_request.items:
            name = "get_product_reference"
            to_insure = CartToInsure(
                account=adapter.get_product_account(request, product),
                cart_reference=values.reference(adapter.get_product_reference(product), name),
                shopper_reference="",
                request=quote_request,
                # Counted apart: looking at many products must not cost the offer at checkout.
                visitor=f"price {adapter.get_visitor(request)}",
            )
            # Fails here, and not on the page, for fields that can't be encoded as JSON.
            to_insure.fingerprint  # noqa: B018
    return to_insure
