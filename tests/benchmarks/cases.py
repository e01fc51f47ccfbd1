"""What is measured, and against what."""

from __future__ import annotations

import itertools
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any
from unittest import mock

import requests
import xcover
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest
from django.test import Client, override_settings
from django.test.utils import setup_test_environment, teardown_test_environment
from django.utils import timezone

from django_xcover.client import ServerFault, XCoverClient, XCoverError
from django_xcover.clients import circuit_breaker, factory
from django_xcover.conf import get_config
from django_xcover.models import Operation, OperationState, Quote, QuotePackage
from django_xcover.offers import quoting
from django_xcover.offers.carts import CartToInsure
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.server import serve
from example_shop.demo import data
from tests.benchmarks import webhooks
from tests.benchmarks.timing import Figure, compare
from tests.shop import Cart

ACCOUNT = {"PARTNER_CODE": "SHOP1", "API_KEY": "sandbox-key", "API_SECRET": "sandbox-secret"}

# What a checkout may wait at most when nobody is asked.
OPEN_CIRCUIT_MS = 5.0
# The client is measured, not its wait for a turn.
UNLIMITED = {"SALES_RATE": 1e6, "OTHER_RATE": 1e6}


def measure(*, rounds: int) -> list[Figure]:
    """Return all figures."""
    logging.disable(logging.ERROR)
    sandbox = Sandbox(
        partner_code=ACCOUNT["PARTNER_CODE"],
        api_key=ACCOUNT["API_KEY"],
        api_secret=ACCOUNT["API_SECRET"],
    )
    with _database(), serve(sandbox) as url, _shop_calling(url):
        figures = [*_client_figures(url, rounds), *_page_figures(rounds), *_row_figures(rounds)]
        figures.append(webhooks.figure(rounds))
        return [*figures, _hanging_vendor(sandbox), _open_circuit(rounds)]


def _client_figures(url: str, rounds: int) -> Iterator[Figure]:
    """Time the client against `requests` alone and against the official SDK."""
    client = factory.client_for("default")
    package_id = client.create_quote(_payload())["id"]
    path = f"{url}/x/partners/SHOP1/quotes/{package_id}/"
    with requests.Session() as session:
        headers = _signed_headers(client, package_id)
        yield compare(
            "client.get_quote / requests with ready headers",
            lambda: client.get_quote(package_id),
            lambda: session.get(path, headers=headers, timeout=5).json(),
            rounds=rounds,
        )
    sdk = xcover.XCover(_sdk_config(url))
    yield compare(
        "client.get_quote / xcover-python get_quote",
        lambda: client.get_quote(package_id),
        lambda: sdk.get_quote(package_id),
        rounds=rounds,
    )


def _page_figures(rounds: int) -> Iterator[Figure]:
    """Time pages of the example shop with the offer against the same without."""
    shopper = _shopper()
    shopper.get("/xcover/offer/")
    nothing = mock.patch(
        "example_shop.cover.ConcertShopAdapter.get_quote_request", return_value=None
    )

    def without_cover(path: str) -> Any:
        with nothing:
            return shopper.get(path)

    yield compare(
        "checkout page with a stored offer / without cover",
        lambda: shopper.get("/checkout/"),
        lambda: without_cover("/checkout/"),
        rounds=rounds,
    )
    yield compare(
        "offer fragment, stored / the shop's cart page",
        lambda: shopper.get("/xcover/offer/"),
        lambda: shopper.get("/cart/"),
        rounds=rounds,
    )


def _row_figures(rounds: int) -> Iterator[Figure]:
    """Time what touches the database against the plainest queries that do it."""
    package = QuotePackage.objects.latest("pk")
    cart = _cart(package)
    yield compare(
        "latest_quotes / the same rows by primary key",
        lambda: quoting.latest_quotes(cart),
        lambda: list(Quote.objects.select_related("package").filter(package_id=package.pk)),
        rounds=rounds,
    )
    operation = Operation.objects.create(package=package, kind="opt_out")
    yield compare(
        "claim and fail an operation / two plain updates",
        lambda: _claim_and_fail(operation.pk),
        lambda: _two_updates(operation.pk),
        rounds=rounds,
    )


def _hanging_vendor(sandbox: Sandbox) -> Figure:
    """Time a first offer while XCover answers nothing, against the deadline that is promised."""
    sandbox.faults.add("create_quote", "hang", times=None, seconds=30)
    carts = (_new_cart(str(number)) for number in itertools.count())
    deadline = get_config().offer_deadline

    def first_offer() -> None:
        cache.clear()  # or the breaker would spare this shopper the wait
        quoting.fresh_offer(next(carts))

    figure = compare(
        "first offer while XCover hangs / OFFER_DEADLINE",
        first_offer,
        lambda: time.sleep(deadline),
        rounds=5,
        max_ms=deadline * 1000,
    )
    sandbox.faults.clear()
    return figure


def _open_circuit(rounds: int) -> Figure:
    """Time an offer that is not asked for, because XCover is down, against one that is stored."""
    stored, unseen = _new_cart("stored"), _new_cart("unseen")
    quoting.fresh_offer(stored)
    _let_xcover_fail()
    figure = compare(
        "no offer while the breaker is open / a stored offer",
        lambda: quoting.fresh_offer(unseen),
        lambda: quoting.stored_offer(HttpRequest(), stored),
        rounds=rounds,
        max_ms=OPEN_CIRCUIT_MS,
    )
    assert circuit_breaker.state("default").circuit == circuit_breaker.Circuit.OPEN
    cache.clear()
    return figure


def _let_xcover_fail() -> None:
    cache.clear()
    while circuit_breaker.state("default").circuit != circuit_breaker.Circuit.OPEN:
        with suppress(XCoverError), circuit_breaker.guard("default"):
            raise ServerFault


def _claim_and_fail(pk: int) -> None:
    claimed = operations.claim(pk)
    assert claimed is not None
    failure = operations.Failure(type="X", message="", permanent=False, outcome_known=True)
    operations.fail(claimed, failure)
    _reset(pk)


def _two_updates(pk: int) -> None:
    rows = Operation.objects.filter(pk=pk)
    rows.update(state=OperationState.RUNNING, attempts=1, lease_until=timezone.now())
    rows.update(state=OperationState.PENDING, failures=1, next_attempt_at=timezone.now())
    _reset(pk)


def _reset(pk: int) -> None:
    past = timezone.now() - timedelta(seconds=1)
    Operation.objects.filter(pk=pk).update(attempts=0, failures=0, next_attempt_at=past)


@contextmanager
def _database() -> Iterator[None]:
    """Make the tables and fill the shop, and remove both afterwards."""
    setup_test_environment()
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        data.fill()
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)
        teardown_test_environment()


@contextmanager
def _shop_calling(url: str) -> Iterator[None]:
    setting = {
        "ADAPTER": "example_shop.cover.ConcertShopAdapter",
        "ACCOUNTS": {"default": {**ACCOUNT, **UNLIMITED, "BASE_URL": f"{url}/x"}},
        "BREAKER_COOL_DOWN": 3600,
        "BREAKER_COOL_DOWN_LIMIT": 3600,
    }
    with override_settings(XCOVER=setting):
        cache.clear()
        yield
        factory._client.cache_clear()


def _shopper() -> Client:
    shopper = Client()
    for slug in ("harbour-lights-festival", "lumen-14"):
        shopper.post(f"/cart/{slug}/add/", {"quantity": 1})
    return shopper


def _cart(package: QuotePackage) -> CartToInsure:
    return CartToInsure(
        account=package.account,
        cart_reference=package.cart_reference,
        shopper_reference=package.shopper_reference,
        request=_request(),
    )


def _new_cart(reference: str) -> CartToInsure:
    return CartToInsure(
        account="default", cart_reference=reference, shopper_reference="", request=_request()
    )


def _request() -> Any:
    from tests.shop import Adapter

    return Adapter().get_quote_request(Cart())


def _payload() -> dict[str, Any]:
    from django_xcover.mirror import request_bodies

    return request_bodies.quote_payload(_request(), now=timezone.now())


def _signed_headers(client: XCoverClient, package_id: str) -> dict[str, str]:
    """Return the headers of one signed request, to be sent again as they are."""
    prepared = requests.Request("GET", "http://127.0.0.1/").prepare()
    signed = client._transport._auth(prepared)
    return dict(signed.headers)


def _sdk_config(url: str) -> Any:
    return xcover.XCoverConfig(
        base_url=f"{url}/x/",
        partner_code=ACCOUNT["PARTNER_CODE"],
        auth_api_key=ACCOUNT["API_KEY"],
        auth_api_secret=ACCOUNT["API_SECRET"],
        auth_algorithm="hmac-sha512",
        headers="date",
    )
