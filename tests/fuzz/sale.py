"""The smallest shop, its carts and orders in every stage."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import requests
from django.core.cache.backends.locmem import LocMemCache
from django.http import HttpRequest
from django.test import override_settings

from django_xcover import worker
from django_xcover.client import XCoverClient
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import factory
from django_xcover.conf import get_config
from django_xcover.models import Operation, Quote, QuotePackage
from django_xcover.offers import carts, choices, quoting
from django_xcover.types import PolicyRequest
from tests import completion
from tests.shop import SHOP, Cart, Order, laptop

# The account whose bookings are walked through: the others are about no package of its own.
WALKED = "walked"


@contextmanager
def shop_calling(session: requests.Session) -> Iterator[None]:
    """Let the smallest shop call XCover through `session`, once each time, with a fresh cache."""
    account = get_config().account("default")
    told = {
        "BASE_URL": account.base_url,
        "PARTNER_CODE": account.partner_code,
        "API_KEY": account.api_key,
        "API_SECRET": account.api_secret,
    }
    setting = {"ADAPTER": "tests.shop.Adapter", "ACCOUNTS": {"default": told, WALKED: told}}
    cache = LocMemCache("fuzz", {})
    memory = shared_cache.Memory(lambda: cache)
    with (
        override_settings(XCOVER=setting),
        mock.patch.object(factory, "client_for", return_value=_client(session)),
        mock.patch.object(shared_cache, "memory", memory),
    ):
        yield
    SHOP.orders.clear()


def forget() -> None:
    """Empty the shop's cache: no open circuit, no refused cart, no price."""
    shared_cache.attempt(lambda cache: cache.clear(), None)


def read(cart: Cart) -> carts.CartToInsure:
    """Return the cart as a view would read it."""
    found = carts.read_cart(seen_with(cart))
    assert found is not None
    return found


def seen_with(cart: Cart) -> HttpRequest:
    """Return a request by the shopper whose cart it is."""
    request = HttpRequest()
    request.cart = cart  # type: ignore[attr-defined]
    return request


def cart_of(reference: str, *items: PolicyRequest) -> Cart:
    """Return a cart with `items`, a laptop by default."""
    return Cart(reference, items=items or (laptop(),))


def for_a_year(item: PolicyRequest) -> PolicyRequest:
    """Return `item`, to be insured for a year and then renewed."""
    return replace(item, fields={**item.fields, "term": 12})


def order_of(cart: Cart, **facts: Any) -> Order:
    """Return the shop's new order of `cart`."""
    return SHOP.order(order_reference(cart), **facts)


def order_reference(cart: Cart) -> str:
    """Return the number of the order that is made of `cart`."""
    return f"order-{cart.reference}"


def answer(cart: Cart, *, yes: bool = True) -> bool:
    """Look at the offer and answer every quote of it; False when there is no offer."""
    offer = quoting.fresh_offer(read(cart))
    for quote in offer.quotes if offer else ():
        choices.choose(read(cart), quote_id=quote.quote_id, accepted=yes, template_version="fuzz")
    return offer is not None


def sold(cart: Cart, *, paid: bool = True, plan: str = "") -> QuotePackage:
    """Return a package that was accepted and ordered, its booking still to be carried out."""
    assert answer(cart)
    if plan:
        planned = Quote.objects.filter(package__cart_reference=cart.reference)
        planned.filter(line_reference="laptop").update(instalment_plan=plan)
    completion.complete(order_of(cart, pays_later=not paid), cart, paid=paid)
    return package_of(cart)


def booked(cart: Cart, *, plan: str = "") -> QuotePackage:
    """Return a package whose cover is booked and in force."""
    package = sold(cart, plan=plan)
    work(package)
    package.refresh_from_db()
    assert package.status == "CONFIRMED", package.status
    return package


def package_of(cart: Cart) -> QuotePackage:
    """Return the newest package of `cart`, as it stands now."""
    return QuotePackage.objects.filter(cart_reference=cart.reference).latest("pk")


def work(package: QuotePackage) -> str:
    """Let a worker make one attempt at each operation of `package`; return how the last stands."""
    state = "nothing to do"
    for operation in package.operations.order_by("pk"):
        state = carry_out(operation)
    return state


def carry_out(operation: Operation, *, again: bool = False) -> str:
    """Let a worker make one attempt, its second one if `again`, and return how things stand."""
    if again:
        Operation.objects.filter(pk=operation.pk).update(attempts=1)
    worker.run(operation.pk)
    operation.refresh_from_db()
    return operation.state


def _client(session: requests.Session) -> XCoverClient:
    account = get_config().account("default")
    return XCoverClient(
        base_url=account.base_url,
        partner_code=account.partner_code,
        api_key=account.api_key,
        api_secret=account.api_secret,
        backoff=0,
        max_attempts=1,
        session=session,
    )
