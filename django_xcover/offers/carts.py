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
    """A cart's owner and the items in it that can be insured.

    `visitor` identifies the visitor for the limit on new quotes. It is personal data, so it is
    never stored or logged.
    """

    account: str
    cart_reference: str
    shopper_reference: str = field(repr=False)
    request: QuoteRequest
    visitor: str = field(default="", repr=False, compare=False)

    @cached_property
    def fingerprint(self) -> str:
        """Return the hash of everything that affects the quote."""
        return request_bodies.fingerprint(self.account, self.request)


def read_cart(request: HttpRequest, cart: Any = None) -> CartToInsure | None:
    """Return what to insure in `cart`, by default the request's cart; None if nothing.

    A failing adapter or an unreadable setting must not break the checkout: the error is logged,
    and None is returned. It is raised with `DEBUG`, or if it has broken the shop's transaction.
    """
    to_insure = None
    with log_errors("The cart could not be read for an offer"):
        adapter = get_adapter()
        cart = adapter.get_cart(request) if cart is None else cart
        to_insure = None if cart is None else _to_insure(adapter, request, cart)
    return to_insure  # noqa: RET504 - an error leaves the block before the assignment


def reference_of(request: HttpRequest, cart: Any = None) -> tuple[str, str] | None:
    """Return the account and reference of `cart`, even if it is empty; None without a cart."""
    name = None
    with log_errors("The cart could not be identified"):
        adapter = get_adapter()
        cart = adapter.get_cart(request) if cart is None else cart
        if cart is not None:
            name = shop_values.name_cart(cart)
    return name


@contextmanager
def log_errors(what: str) -> Iterator[None]:
    """Log an exception that the shop's code raises in the block, and continue after it."""
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
    to_insure = CartToInsure(
        account=shop_values.account_of(cart),
        cart_reference=shop_values.cart_reference(cart),
        shopper_reference=values.optional_text(
            adapter.get_shopper_reference(request), "get_shopper_reference"
        ),
        request=quote_request,
        visitor=adapter.get_visitor(request),
    )
    _require_storable(to_insure)
    # Computed now, so that fields that can't be encoded as JSON fail here and not on the page.
    return to_insure if to_insure.fingerprint else None


def _require_storable(cart: CartToInsure) -> None:
    """Raise ValueError for values that can't be stored, before XCover quotes them."""
    request = cart.request
    texts = (
        ("cart reference", cart.cart_reference, 100),
        ("shopper reference", cart.shopper_reference, 100),
        ("currency", request.currency, 3),
        ("customer_country", request.customer_country, 2),
        ("customer_language", request.customer_language, 10),
        *(("item's reference", item.reference, 100) for item in request.items),
    )
    for name, text, longest in texts:
        if len(text) > longest:
            raise ValueError(f"The {name} has more than {longest} characters.")
    if len({item.reference for item in request.items}) < len(request.items):
        # A quote couldn't be matched to its line, nor an acceptance to its quote.
        raise ValueError("In the cart two items have the same reference.")
