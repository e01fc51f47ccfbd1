"""XCover's element in a browser, with a stand-in script from another host."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from django_xcover.models import Choice, Quote, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.server import serve
from tests.checkout.shopfront import FRONT, Front
from tests.conftest import Shopper
from tests.serving import serving
from tests.shop import laptop, ticket

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCRIPT = "**/xce/elements.js*"
QUOTES = "**/xce/quotes*"
OWN_YES = "Yes, add cover for"


@pytest.fixture
def page(
    chromium: Browser, front: Front, shopper: Shopper, sandbox: Sandbox, settings: Any
) -> Iterator[Page]:
    """Return a browser in front of a shop with XCover's element."""
    front.cart, front.element = shopper.cart, True
    with serve(sandbox) as vendor, serving() as shop:
        front.vendor = vendor
        script = f"{vendor}/xce/elements.js?partner=SHOP1"
        settings.XCOVER = {**settings.XCOVER, "ELEMENTS_SCRIPT": script}
        context = chromium.new_context(base_url=shop)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(str(error)))
        yield page
        context.close()


def choices() -> dict[str, str]:
    """Return the answers to the quotes of the package that counts."""
    package = QuotePackage.objects.order_by("-pk").first()
    return dict(Quote.objects.filter(package=package).values_list("line_reference", "choice"))


def places_order(page: Page) -> None:
    page.get_by_role("button", name="Pay").click()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()


def test_a_yes_is_saved_and_charged_with_the_order(page: Page) -> None:
    page.goto("/checkout/")
    page.get_by_label("Yes, for £").check()
    expect(page.locator("#total")).not_to_contain_text("£120.00")
    expect(page.get_by_label(OWN_YES)).to_be_hidden()
    places_order(page)

    assert choices() == {"ticket": Choice.ACCEPTED}
    assert FRONT.totals != ["120.00 GBP"]


def test_an_order_right_after_the_yes_waits_for_it(page: Page) -> None:
    held: list[Route] = []
    page.route("**/xcover/element/", lambda route: held.append(route))  # noqa: PLW0108 - it sets an attribute
    page.goto("/checkout/")
    page.get_by_label("Yes, for £").check()
    page.get_by_role("button", name="Pay").click()
    assert FRONT.orders == []
    held[0].continue_()
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()

    assert choices() == {"ticket": Choice.ACCEPTED}


def test_an_order_whose_yes_cannot_be_taken_waits_for_another_answer(page: Page) -> None:
    held: list[Route] = []
    page.route("**/xcover/element/", lambda route: held.append(route))  # noqa: PLW0108 - it sets an attribute
    page.goto("/checkout/")
    page.get_by_label("Yes, for £").check()
    page.get_by_role("button", name="Pay").click()
    held[0].abort()

    expect(page.get_by_text("Your order hasn't been placed yet.")).to_be_visible()
    expect(page.get_by_label(OWN_YES)).to_be_visible()
    assert FRONT.orders == []
    places_order(page)


def test_each_of_several_items_gets_its_own_answer(page: Page) -> None:
    FRONT.cart = FRONT.cart and FRONT.cart.but(items=(ticket(), laptop()))
    page.goto("/checkout/")
    page.get_by_label("Only").first.check()
    expect(page.locator("#total")).not_to_contain_text("£120.00")
    places_order(page)

    assert sorted(choices().values()) == [Choice.ACCEPTED, Choice.DECLINED]


def test_a_no_is_saved(page: Page) -> None:
    page.goto("/checkout/")
    page.get_by_label("No, thank you").check()
    places_order(page)

    assert choices() == {"ticket": Choice.DECLINED}


def changed(route: Route) -> None:
    """Let the shopper make the request cheaper."""
    route.continue_(post_data=(route.request.post_data or "").replace('"price":60', '"price":1'))


def refused(route: Route) -> None:
    route.fulfill(status=500, body="{}", headers={"Access-Control-Allow-Origin": "*"})


@pytest.mark.parametrize(
    ("address", "handle"),
    [
        (SCRIPT, lambda route: route.abort()),
        (SCRIPT, lambda route: route.fulfill(body="", content_type="text/javascript")),
        (QUOTES, lambda route: route.abort()),
        (QUOTES, refused),
        (QUOTES, changed),
        ("**/xcover/element/", lambda route: route.abort()),
        ("**/xcover/element/", lambda route: route.fulfill(body="<h1>Log in</h1>")),
    ],
    ids=["blocked", "empty", "no quotes", "refused", "changed", "not taken", "a login page"],
)
def test_the_shops_own_offer_takes_over(
    page: Page, settings: Any, address: str, handle: Callable[[Route], None]
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": 1.5}
    page.route(address, handle)
    page.goto("/checkout/")
    page.get_by_label(OWN_YES).check()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()
    expect(page.locator("xce-protection-offer")).to_have_count(0)
    places_order(page)

    assert choices() == {"ticket": Choice.ACCEPTED}


def test_a_policy_that_blocks_the_script_leaves_the_shops_own_offer(page: Page) -> None:
    FRONT.vendor = ""
    page.goto("/checkout/")

    expect(page.get_by_label(OWN_YES)).to_be_visible()


def test_an_id_that_was_changed_in_the_browser_is_no_answer(page: Page) -> None:
    def rename(route: Route) -> None:
        body = route.fetch().text()
        strange = "00000000-0000-4000-8000-000000000000"
        text = body.replace(
            "selectedProducts = products.map(({ id, policy }) => ({ id,",
            f"selectedProducts = products.map(({{ policy }}) => ({{ id: '{strange}',",
        )
        assert strange in text
        route.fulfill(body=text, content_type="text/javascript")

    page.route(SCRIPT, rename)
    page.goto("/checkout/")
    page.get_by_label("Yes, for £").click()

    expect(page.get_by_label(OWN_YES)).to_be_visible()
    assert choices() == {"ticket": ""}


def test_an_order_without_an_answer_is_asked_once_at_the_element(page: Page) -> None:
    FRONT.ask = True
    page.goto("/checkout/")
    page.get_by_label("Yes, for £").wait_for()
    expect(page.locator("[data-xcover-quote]")).to_have_count(1)
    page.get_by_role("button", name="Pay").click()

    expect(page.get_by_role("alert").filter(has_text="Please choose yes or no.")).to_be_visible()
    expect(page.get_by_label("Yes, for £")).to_be_visible()
    places_order(page)


def test_an_answer_that_cannot_be_saved_shows_the_shops_own_offer(page: Page) -> None:
    page.route("**/xcover/choose/", lambda route: route.abort(), times=1)
    page.goto("/checkout/")
    page.get_by_label("Yes, for £").click()

    expect(page.get_by_label(OWN_YES)).to_be_visible()
    expect(page.get_by_text("We couldn't save your answer.").first).to_be_visible()
    assert choices() == {"ticket": ""}


def test_a_cart_that_changes_on_the_page_gets_the_shops_own_offer(page: Page) -> None:
    page.goto("/checkout/")
    page.get_by_label("Yes, for £").wait_for()
    FRONT.cart = FRONT.cart and FRONT.cart.but(items=(ticket(count=4),))
    page.evaluate("document.dispatchEvent(new CustomEvent('xcover:refresh'))")

    expect(page.get_by_label(OWN_YES)).to_be_visible()
    expect(page.locator("xce-protection-offer")).to_have_count(0)
