"""The offer as shops have it by default: quoted in threads, while the page waits for nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from django_xcover.client.connections import Deadline
from django_xcover.cover import freeze_cover
from django_xcover.models import Decision, Quote
from django_xcover.offers import quoting
from django_xcover.offers.carts import CartToInsure
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.api.conftest import Program, program
from tests.api.conftest import front as api_front
from tests.checkout.conftest import Visitor, front, visitor
from tests.checkout.page import Page
from tests.checkout.shopfront import FRONT, render
from tests.checkout.test_script import Tab, address, tab
from tests.conftest import work
from tests.shop import Cart, Shop, ticket
from tests.threads import finish, threads

__all__ = ["address", "front", "program", "tab", "threads", "visitor"]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("sandbox", "threads"),
]
FRAGMENT, PAGE = "/xcover/offer/", "/xcover/offer/page/"
PREPARE = "{% xcover_prepare cart %}"


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Return what lets XCover answer: until then each quote waits."""
    go = threading.Event()
    create = quoting._create

    def held(cart: CartToInsure, until: Deadline) -> Any:
        assert go.wait(30)
        return create(cart, until)

    monkeypatch.setattr(quoting, "_create", held)
    yield go
    go.set()
    finish()


# Pages


def test_a_page_has_a_place_then_the_offer_then_the_choice_and_the_order_has_the_cover(
    visitor: Visitor, shop: Shop, slow: threading.Event, request_for: Any
) -> None:
    assert visitor.opens("/checkout/").all("div", class_="xcover-waiting")
    first = visitor.client.get(FRAGMENT)
    assert (first.status_code, first.content) == (202, b"")
    slow.set()
    finish()

    offer = Page(visitor.client.get(first["Location"]).content)
    quote = offer.one("input", name="quote")["value"]
    shown = offer.one("input", name="shown")["value"]
    answer = visitor.sends(quote=quote, shown=shown, choice="yes").json()

    assert (answer["choice"], answer["premium"]) == ("accepted", "7.89")
    assert visitor.opens("/checkout/").ticked == ["yes"]
    charged = freeze_cover(request_for(visitor.front.cart)).premium
    completion.complete(shop.order(), visitor.front.cart, paid=True)
    work()
    policy = Quote.objects.booked().get()
    assert charged == policy.cost


def test_without_javascript_a_reloaded_checkout_shows_the_offer(
    visitor: Visitor, slow: threading.Event
) -> None:
    waiting = visitor.client.get(PAGE, {"next": "/checkout/"})
    assert waiting["Refresh"].startswith("1; url=")
    slow.set()
    finish()

    page = visitor.opens("/checkout/")

    assert len(page.all("fieldset")) == 1
    assert page.all("div", class_="xcover-waiting") == []
    quote = page.one("input", name="quote")["value"]
    response = visitor.posts(quote=quote, choice="no", next="/checkout/")
    assert response.status_code == 303
    assert visitor.opens("/checkout/").ticked == ["no"]


def test_accepted_cover_that_is_gone_is_named_once_that_is_known(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    visitor.client.get(FRAGMENT)
    finish()
    visitor.shopper.posts(Quote.objects.get().quote_id, yes=True)
    sandbox.faults.add("*", "status", times=None, status=422)
    visitor.front.cart = visitor.shopper.cart.but(items=(ticket(price="80"),))

    first = visitor.client.get(FRAGMENT)
    finish()
    page = Page(visitor.client.get(first["Location"]).content)

    assert first.status_code == 202
    assert "is no longer available" in page.one("p", class_="xcover-lapsed").text


# The tag for the page before the checkout


def test_the_cart_page_has_the_cart_quoted_so_that_the_checkout_has_the_offer(
    visitor: Visitor, request_for: Any, sandbox: Sandbox
) -> None:
    script = Page(render(PREPARE, {"cart": visitor.front.cart}, request_for(visitor.front.cart)))
    assert sandbox.calls() == []

    assert visitor.client.get(script.one("script")["data-offer"]).status_code == 202
    finish()

    assert len(visitor.opens("/checkout/").all("fieldset")) == 1
    assert len(sandbox.calls("create_quote")) == 1


def test_a_cart_that_is_quoted_or_has_nothing_to_insure_needs_no_preparing(
    visitor: Visitor, request_for: Any
) -> None:
    visitor.client.get(FRAGMENT)
    finish()

    for cart in (visitor.front.cart, Cart(items=())):
        assert render(PREPARE, {"cart": cart}, request_for(cart)).strip() == ""
    changed = Cart(items=(ticket(price="80"),))
    assert "<script" in render(PREPARE, {"cart": changed}, request_for(changed))


@pytest.mark.parametrize("nonce", [None, 'r4nd"m'])
def test_the_script_that_prepares_is_a_file_of_our_own_with_the_nonce(
    visitor: Visitor, request_for: Any, nonce: str | None
) -> None:
    context: dict[str, object] = {"cart": visitor.front.cart, "csp_nonce": nonce}
    script = Page(render(PREPARE, context, request_for(visitor.front.cart))).one("script")

    assert script["src"].endswith("xcover/prepare.js")
    assert "defer" in script
    assert script.attributes.get("nonce") == nonce
    assert script.text == ""


# In a browser


@pytest.mark.browser
def test_in_a_browser_the_offer_follows_the_skeleton_and_its_answer_goes_with_the_order(
    tab: Tab, slow: threading.Event
) -> None:
    tab.opens()
    expect(tab.page.locator(".xcover-waiting")).to_be_visible()
    slow.set()

    tab.yes.check()

    expect(tab.status).to_have_text("Saved: cover is added to your order.")
    tab.page.get_by_role("button", name="Pay").click()
    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")
    assert FRONT.totals == ["127.89 GBP"]
    assert Decision.objects.get().choice == "accepted"


# The API


class TestApi:
    @pytest.fixture
    def front(self, settings: Any) -> Any:
        yield from api_front.__wrapped__(settings)  # type: ignore[attr-defined]

    def test_the_api_says_not_yet_then_has_the_offer_and_takes_the_answer(
        self, program: Program, shop: Shop, slow: threading.Event
    ) -> None:
        first = program.gets("offer/")
        assert first.status_code == 202
        assert program.client.get(first["Location"]).status_code == 202
        slow.set()
        finish()

        (quote,) = program.client.get(first["Location"]).json()["quotes"]
        answer = {"quote": quote["quote_id"], "shown": quote["shown"], "choice": "yes"}
        offer = program.posts("choice/", **answer).json()

        assert (offer["is_answered"], offer["premium"]["amount"]) == (True, "7.89")
        completion.complete(shop.order(), program.front.cart, paid=True)
        work()
        assert program.gets("orders/ORD-1/cover/").json()["state"] == "booked"
