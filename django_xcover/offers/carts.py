"""The shopper's cart, read through the shop's adapter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from django_xcover import db, safe_logging, values
from django_xcover.adapters import ShopAdapter, get_adapter
from django_xcover.mirror import request_bodies
from django_xcover.offers import shop_values
from django_xcover.types import QuoteRequest

logger = safe_logging.get_logger("django_xcover.offers")


@dataclass(frozen=True, kw_only=True)
class CartToInsure:
    """Whose cart it is and what in it can be insured.

    `visitor` is whoever the limit on new quotes counts: personal data, so never stored or logged.
    """

    account: str
    cart_reference: str
    shopper_reference: str = field(repr=False)
    request: QuoteRequest
    visitor: str = field(default="", repr=False, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Return the hash of everything that is quoted."""
        return request_bodies.fingerprint(self.account, self.request)


def read_cart(request: HttpRequest, cart: Any = None) -> CartToInsure | None:
    """Return what to insure in `cart`, by default the request's own; None for nothing.

    An adapter that fails, or a setting that cannot be read, costs the offer and not the checkout:
    it is logged and counts as nothing to insure. With `DEBUG` it is raised, and so is one that has
    ended the shop's transaction.
    """
    found = None
    with forgiven("The cart could not be read for an offer"):
        adapter = get_adapter()
        cart = adapter.get_cart(request) if cart is None else cart
        found = None if cart is None else _to_insure(adapter, request, cart)
    return found  # noqa: RET504 - a block that is forgiven is left before its end


def reference_of(request: HttpRequest, cart: Any = None) -> tuple[str, str] | None:
    """Return account and reference of `cart`, whatever is in it; None without a cart."""
    found = None
    with forgiven("The cart could not be identified"):
        adapter = get_adapter()
        cart = adapter.get_cart(request) if cart is None else cart
        if cart is not None:
            found = shop_values.name_cart(cart)
    return found


@contextmanager
def forgiven(what: str) -> Iterator[None]:
    """Log whatever the shop's code raises inside and go on behind the block."""
    try:
        yield
    except Exception as error:
        if settings.DEBUG or db.is_doomed(error):
            raise
        # Not `exception`: its traceback would quote what the customer typed.
        logger.critical("%s: %s", what, safe_logging.describe(error))


def _to_insure(adapter: ShopAdapter, request: HttpRequest, cart: Any) -> CartToInsure | None:
    quote_request = adapter.get_quote_request(cart)
    if quote_request is None or not quote_request.items:
        return None
    found = CartToInsure(
        account=shop_values.account_of(cart),
        cart_reference=shop_values.cart_reference(cart),
        shopper_reference=values.optional_text(
            adapter.get_shopper_reference(request), "get_shopper_reference"
        ),
        request=quote_request,
        visitor=adapter.get_visitor(request),
    )
    _require_storable(found)
    # Now, so that fields that cannot be written as JSON are found here and not on the page.
    return found if found.fingerprint else None


def _require_storable(cart: CartToInsure) -> None:
    """Raise ValueError for what can't be stored, before XCover is asked to quote it."""
    asked = cart.request
    texts = (
        ("cart reference", cart.cart_reference, 100),
        ("shopper reference", cart.shopper_reference, 100),
        ("currency", asked.currency, 3),
        ("customer_country", asked.customer_country, 2),
        ("customer_language", asked.customer_language, 10),
        *(("item's reference", item.reference, 100) for item in asked.items),
    )
    for name, text, longest in texts:
        if len(text) > longest:
            raise ValueError(f"The {name} has more than {longest} characters.")
    if len({item.reference for item in asked.items}) < len(asked.items):
        # Which line a quote insures, and whose yes it has, could not be said.
        raise ValueError("In the cart two items have the same reference.")
