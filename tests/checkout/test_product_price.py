"""The price of cover on a product's page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation
from playwright.sync_api import Browser, Page, Route, expect

from django_xcover.clients import circuit_breaker
from django_xcover.formats import format_amount
from django_xcover.models import QuotePackage
from django_xcover.offers import fast_quote
from django_xcover.sandbox import Sandbox
from tests.checkout.conftest import Visitor
from tests.checkout.shopfront import FRONT
from tests.checkout.test_layout_shifts import MEASURE, SIZES
from tests.checkout.test_script import Gate, address
from tests.conftest import PATIENCE, Shopper
from tests.shop import ANA, PRODUCTS, Adapter

__all__ = ["address"]

pytestmark = pytest.mark.django_db

PAGE = "/products/laptop/"
PRICE = "/xcover/price/?product=laptop"
LAPTOP = (PRODUCTS["laptop"],)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def place(visitor: Visitor, path: str = PAGE) -> list[str]:
    """Return the text of each place for a price on the page at `path`."""
    page = visitor.opens(path)
    return [one.text for one in page.all("p", class_="xcover xcover-product-price")]


def asked(sandbox: Sandbox) -> int:
    return len(sandbox.calls("fast_quote"))


@pytest.mark.parametrize("fault", ["status", "reset", "garbage", "throttle"])
def test_a_fault_of_xcovers_is_no_price_and_then_no_place_for_one(
    visitor: Visitor, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("fast_quote", fault, times=None)

    first = visitor.client.get(PRICE)
    again = visitor.client.get(PRICE)

    assert (first.status_code, again.status_code) == (204, 204)
    assert asked(sandbox) == 1
    assert place(visitor) == []


def test_while_the_circuit_is_open_there_is_no_place_and_no_call(
    visitor: Visitor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(circuit_breaker, "is_open", lambda account: True)

    assert place(visitor) == []
    assert visitor.client.get(PRICE).status_code == 204
    assert asked(sandbox) == 0


def test_a_visitor_who_has_asked_for_too_many_prices_is_not_asked_for(
    visitor: Visitor, sandbox: Sandbox, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 1}
    visitor.client.get("/xcover/price/?product=yacht")

    response = visitor.client.get(PRICE)

    assert response.status_code == 429
    assert 0 < int(response["Retry-After"]) <= 600
    assert asked(sandbox) == 1


def test_a_visitor_at_the_limit_still_gets_prices_that_are_known_and_the_offer(
    visitor: Visitor, sandbox: Sandbox, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 1, "OFFER_THREADS": 0}
    visitor.client.get(PRICE)

    assert visitor.client.get(PRICE).status_code == 200
    assert visitor.client.get("/xcover/offer/").status_code == 200


def test_while_a_price_is_asked_for_nobody_else_asks_for_it(
    visitor: Visitor, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[int] = []
    price = fast_quote.price

    def slow(*args: Any, **options: Any) -> Any:
        others.append(Client().get(PRICE).status_code)
        return price(*args, **options)

    monkeypatch.setattr(fast_quote, "price", slow)

    assert visitor.client.get(PRICE).status_code == 200
    assert others == [202]
    assert asked(sandbox) == 1


@pytest.mark.parametrize("reference", ["", "unknown", "a%00b", "x" * 101])
def test_an_unknown_product_has_no_price(
    visitor: Visitor, sandbox: Sandbox, reference: str
) -> None:
    assert visitor.client.get(f"/xcover/price/?product={reference}").status_code == 204
    assert asked(sandbox) == 0


def test_a_product_that_xcover_does_not_insure_has_no_price(visitor: Visitor) -> None:
    assert visitor.client.get("/xcover/price/?product=yacht").status_code == 204
    assert place(visitor, "/products/yacht/") == []


@pytest.mark.parametrize(
    "method", ["get_product_quote_request", "get_product_reference", "get_product_account"]
)
def test_a_failing_adapter_breaks_no_page(
    visitor: Visitor,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError(f"{ANA.email} typed nonsense")

    monkeypatch.setattr(Adapter, method, fails)

    assert place(visitor) == []
    assert visitor.client.get(PRICE).status_code == 204
    assert "The product could not be read for a price" in caplog.text
    assert ANA.email not in caplog.text


def test_the_page_calls_nobody_and_reads_no_table(visitor: Visitor, sandbox: Sandbox) -> None:
    with CaptureQueriesContext(connection) as queries:
        before = place(visitor)
    visitor.client.get(PRICE)
    with CaptureQueriesContext(connection) as known:
        after = place(visitor)

    assert before == [""]
    assert after[0].startswith("Add cover from £")
    assert (len(queries), len(known), asked(sandbox)) == (0, 0, 1)


def test_the_price_is_xcovers_and_nothing_is_stored(visitor: Visitor, sandbox: Sandbox) -> None:
    with CaptureQueriesContext(connection) as queries:
        response = visitor.client.get(PRICE)

    wanted = Adapter().get_quote_request(visitor.shopper.cart.but(items=LAPTOP))
    assert wanted is not None
    offer = fast_quote.price(wanted)
    assert offer is not None
    amount = format_amount(offer.premium)
    assert response.json() == {"text": f"Add cover from {amount} at the checkout."}
    assert asked(sandbox) == 1
    assert response["X-XCover"] == "1"
    assert "no-store" in response["Cache-Control"]
    assert len(queries) == 0
    assert not QuotePackage.objects.exists()


def test_the_price_is_shared_by_all_visitors(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.client.get(PRICE)
    FRONT.shopper = "bea"

    Client().get(PRICE)

    assert asked(sandbox) == 1


def test_each_currency_and_language_has_its_own_price(visitor: Visitor, sandbox: Sandbox) -> None:
    visitor.client.get(PRICE)
    FRONT.cart = visitor.shopper.cart.but(currency="EUR", country="DE", language="de")

    with translation.override("de"):
        in_euros = visitor.client.get(PRICE).json()["text"]

    assert "€" in in_euros
    assert "£" not in in_euros
    assert asked(sandbox) == 2


def test_a_shop_whose_adapter_has_no_products_shows_nothing(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("get_product_quote_request", "get_product_reference", "get_product"):
        monkeypatch.delattr(Adapter, name)

    assert place(visitor) == []
    assert visitor.client.get(PRICE).status_code == 204


def test_a_reference_is_quoted_in_the_address(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    odd = replace(PRODUCTS["laptop"], reference='a&b="<c>')
    monkeypatch.setitem(PRODUCTS, "laptop", odd)

    [script] = [s for s in visitor.opens(PAGE).all("script") if "data-price" in s]

    assert script["data-price"] == "/xcover/price/?product=a%26b%3D%22%3Cc%3E"


# In a browser


NARROW = {**SIZES, "narrow": (320, 640)}


@pytest.fixture(params=NARROW)
def tab(request: pytest.FixtureRequest, chromium: Browser, address: str) -> Iterator[Page]:
    width, height = NARROW[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(MEASURE)
    yield context.new_page()
    context.close()


def moved(tab: Page) -> float:
    tab.evaluate("painted()")
    return float(tab.evaluate("shifts.reduce((sum, one) => sum + one.value, 0)"))


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_price_comes_after_the_page_and_moves_nothing(
    tab: Page, address: str, shopper: Shopper
) -> None:
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text))
    gate = Gate("/xcover/price/")
    tab.goto(address + PAGE)
    tab.evaluate("painted()")
    below = tab.get_by_text("After the price").bounding_box()

    gate.opens()

    expect(tab.locator(".xcover-product-price")).to_contain_text("Add cover from £")
    assert moved(tab) == 0
    assert tab.get_by_text("After the price").bounding_box() == below
    assert complaints == []


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_the_script_asks_again_while_xcover_is_asked(tab: Page, address: str) -> None:
    asked: list[str] = []

    def first(route: Route) -> None:
        asked.append(route.request.url)
        headers = {"X-XCover": "1", "Location": f"{PRICE}&second", "Retry-After": "1"}
        route.fulfill(status=202, headers=headers)

    tab.route("**/xcover/price/*", first, times=1)
    with tab.expect_response("**/xcover/price/*&second") as response:
        tab.goto(address + PAGE)

    assert response.value.status == 200
    expect(tab.locator(".xcover-product-price")).to_contain_text("Add cover from £")
    assert len(asked) == 1


@pytest.mark.browser
@pytest.mark.django_db(transaction=True)
def test_without_a_price_the_place_stays_empty_and_nothing_moves(
    tab: Page, address: str, sandbox: Sandbox
) -> None:
    sandbox.faults.add("fast_quote", "reset", times=None)

    with tab.expect_response("**/xcover/price/*") as response:
        tab.goto(address + PAGE)

    assert response.value.status == 204
    assert moved(tab) == 0
    expect(tab.locator(".xcover-product-price")).to_have_text("")
