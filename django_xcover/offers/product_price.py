"""The price of cover on a product's page, which never waits for XCover."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from django_xcover import values
from django_xcover.adapters import get_adapter
from django_xcover.clients import circuit_breaker
from django_xcover.offers import carts, fast_quote
from django_xcover.offers.carts import CartToInsure
from django_xcover.offers.fast_quote import FastOffer

LONGEST_REFERENCE = 100


@dataclass(frozen=True, slots=True)
class PriceLook:
    """The price of a product's cover, as far as it is known.

    `reference` is set if XCover hasn't been asked yet: pass it to `look`. `is_limited` means that
    this visitor has reached the limit on new prices.
    """

    offer: FastOffer | None = None
    reference: str = ""
    is_limited: bool = False


NOTHING = PriceLook()


def look_on_page(request: HttpRequest, product: Any) -> PriceLook:
    """Return the cached price of cover for `product`, without a call to XCover."""
    to_insure = _read(request, product)
    if to_insure is None:
        return NOTHING
    known, offer = fast_quote.cached_price(to_insure.request, account=to_insure.account)
    if known or circuit_breaker.is_open(to_insure.account):
        return PriceLook(offer)
    return PriceLook(reference=to_insure.cart_reference)


def look(request: HttpRequest, reference: str) -> PriceLook:
    """Return the price of cover for the product with this reference; ask XCover if necessary.

    While another request asks for the same price, nothing is returned: that is shown next time.
    Takes at most `XCOVER["OFFER_DEADLINE"]`. XCover's failures are logged and never raised.
    """
    to_insure = _find(request, reference)
    if to_insure is None:
        return NOTHING
    known, offer = fast_quote.cached_price(to_insure.request, account=to_insure.account)
    if known or circuit_breaker.is_open(to_insure.account):
        return PriceLook(offer)
    if not carts.may_quote(to_insure):
        return PriceLook(is_limited=True)
    if not fast_quote.claim(to_insure.request, account=to_insure.account):
        return NOTHING
    carts.count_quote(to_insure)
    return PriceLook(fast_quote.price(to_insure.request, account=to_insure.account))


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
