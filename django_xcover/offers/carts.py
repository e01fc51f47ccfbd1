"""A shopper's cart as it is quoted, its packages, and when it is not quoted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.conf import settings
from django.core.cache.backends.base import BaseCache
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from django_xcover import db, safe_logging, values
from django_xcover.adapters import ShopAdapter, get_adapter
from django_xcover.client import RequestRefused, XCoverError
from django_xcover.clients import cache
from django_xcover.conf import get_config
from django_xcover.mirror import request_bodies
from django_xcover.models import OfferOutcome, Quote, QuotePackage, Status
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


# The packages of a cart.


def open_packages(account: str, cart_reference: str) -> QuerySet[QuotePackage]:
    """Return the cart's packages that an order can still take over, newest first.

    Excludes packages older than an ordered one, because they would insure the same goods twice.
    """
    packages = QuotePackage.objects.filter(account=account, cart_reference=cart_reference)
    ordered = packages.exclude(order_reference="").filter(pk__gt=OuterRef("pk"))
    unordered = packages.filter(order_reference="", status=Status.RECEIVED)
    return unordered.exclude(Exists(ordered)).order_by("-pk")


def lock_all(account: str, cart_reference: str) -> list[QuotePackage]:
    """Lock and return all packages of the cart, oldest first; none without a reference."""
    packages = QuotePackage.objects.filter(account=account, cart_reference=cart_reference)
    return list(packages.locked().order_by("pk")) if cart_reference else []


def still_open(packages: Sequence[QuotePackage]) -> list[QuotePackage]:
    """Return a cart's locked packages that an order can still take over, newest first.

    Reads the locked rows and runs no query. A caller that waited for the lock of a package that
    was ordered in the meantime must see that order, and a query could use an older snapshot.
    """
    last = max((row.pk for row in packages if row.order_reference), default=0)
    return [row for row in reversed(packages) if row.pk > last and row.status == Status.RECEIVED]


def lock_offered(package: QuotePackage) -> list[Quote]:
    """Return the quotes from `lock_quotes` that the shopper may choose and be charged for."""
    return [quote for quote in lock_quotes(package) if quote.status == Status.RECEIVED]


def lock_quotes(package: QuotePackage) -> list[Quote]:
    """Return the offered quotes of a locked package, in display order.

    Locks the rows, because only a locking read returns the latest rows everywhere. Under
    REPEATABLE READ, or with a router that reads from a replica, a plain query may return stale
    rows.
    """
    return list(package.quotes.offered().select_for_update().order_by("position"))


# Carts for which XCover has no offer, so that not every page asks again. The key is the fingerprint
# of the quoted data. A changed cart has another key, and the same goods in another shopper's cart
# have the same one, because they are declined for the same reason.


def remember_no_offer(cart: CartToInsure, reason: OfferOutcome) -> None:
    """Remember for `XCOVER["REFUSAL_LIFETIME"]` seconds that there is no offer for `cart`."""
    lifetime = get_config().refusal_lifetime
    cache.attempt(lambda backend: backend.set(_no_offer_key(cart), reason.value, lifetime), None)


def remembered_no_offer(cart: CartToInsure) -> OfferOutcome | None:
    """Return why XCover recently had no offer for `cart`; None if that isn't remembered."""
    reason = cache.attempt(lambda backend: backend.get(_no_offer_key(cart)), None)
    return OfferOutcome(reason) if reason in OfferOutcome.values else None


def is_lasting_refusal(error: XCoverError) -> bool:
    """Return whether XCover would give the same answer to the same request."""
    return isinstance(error, RequestRefused) and error.permanent


def _no_offer_key(cart: CartToInsure) -> str:
    return cache.key("refused", cart.account, cart.fingerprint)


# How many new quotes one visitor may cause. The adapter's `get_visitor` identifies a visitor, by
# default by session. Only a keyed hash is stored, in the cache, for WINDOW seconds.

WINDOW = 600


def may_quote(cart: CartToInsure) -> bool:
    """Return whether the visitor of `cart` has new quotes left in the current window."""
    name = _visitor_key(cart)
    used = cache.attempt(lambda backend: int(backend.get(name, 0)), 0)
    return used < get_config().visitor_quotes


def count_quote(cart: CartToInsure) -> None:
    """Count a new quote. The one that reaches the limit is logged, without naming the visitor."""
    name = _visitor_key(cart)
    used = cache.attempt(lambda backend: _add(backend, name), 0)
    if used == get_config().visitor_quotes:
        logger.warning("A visitor has used up VISITOR_QUOTES (%s): no more offers for now.", used)


def seconds_to_next_window() -> int:
    """Return the number of seconds until the next window."""
    return WINDOW - int(time.time()) % WINDOW


def _add(backend: BaseCache, name: str) -> int:
    backend.add(name, 0, WINDOW)
    try:
        return backend.incr(name)
    except ValueError:  # evicted in between, from a small cache that is full
        return 1


def _visitor_key(cart: CartToInsure) -> str:
    hashed = salted_hmac("django_xcover.visitor", cart.visitor, algorithm="sha256").hexdigest()
    window = str(int(time.time()) // WINDOW)
    return cache.key("visitor", cart.account, hashed, window)
