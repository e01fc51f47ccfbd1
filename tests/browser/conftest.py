"""A real browser in front of the example shop, with a real sandbox behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Browser, Page, expect

from django_xcover.clients import factory
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.server import serve
from example_shop.demo import data
from tests.conftest import work
from tests.serving import serving


class Customer:
    """Somebody at the shop with a browser."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self._address = address

    def goes_to(self, path: str) -> None:
        """Open a page of the shop."""
        self.page.goto(f"{self._address}{path}")

    def puts_in_cart(self, *slugs: str) -> None:
        """Add one of each product."""
        for slug in slugs:
            self.goes_to(f"/products/{slug}/")
            self.page.locator(f"form[action$='/{slug}/add/'] button").click()

    def fills_in_details(self, *, payment: str = "Card") -> None:
        """Type the address of a person in London."""
        details = {
            "First name": "Ana",
            "Last name": "Rossi",
            "E-mail": "ana@example.com",
            "Street and number": "1 Quay Street",
            "Postcode": "SW1A 1AA",
            "Town or city": "London",
        }
        for label, value in details.items():
            self.page.get_by_label(label, exact=True).fill(value)
        self.page.get_by_label(payment).check()

    def answers(self, question: str, *, yes: bool) -> None:
        """Answer one offer, with the script or with the plain form."""
        self.page.locator("[data-xcover-quote]").first.wait_for()
        folded = self.page.locator("#xcover-each:not([open]) > summary")
        if folded.count():
            folded.click()
        offer = self.page.get_by_role("group", name=question)
        offer.get_by_label("Yes, add cover" if yes else "No, continue").check()
        form = self.page.locator("form", has=offer)
        save = form.get_by_role("button", name="Save my answer")
        if save.is_visible():
            save.click()
        else:
            expect(form.get_by_role("status")).to_contain_text("Saved")

    def places_order(self) -> None:
        """Press the button."""
        self.page.get_by_role("button", name="Place order").click()

    def pays(self, card: str = "4242 4242 4242 4242") -> None:
        """Pay by card, and let a worker do what the payment has set in motion."""
        self.page.get_by_label("Name on card").fill("Ana Rossi")
        self.page.get_by_label("Card number").fill(card)
        self.page.get_by_label("Expires").fill("12/39")
        self.page.get_by_label("Security code").fill("123")
        self.page.get_by_role("button", name="Pay £").click()

    def is_told(self, text: str) -> None:
        """Read a sentence somewhere on the page."""
        expect(self.page.get_by_text(text).first).to_be_visible()


@pytest.fixture
def xcover(settings: Any) -> Iterator[Sandbox]:
    """Return a local XCover served over HTTP, which the shop is set up to call."""
    account = settings.XCOVER["ACCOUNTS"]["default"]
    sandbox = Sandbox(
        partner_code=account["PARTNER_CODE"],
        api_key=account["API_KEY"],
        api_secret=account["API_SECRET"],
    )
    with serve(sandbox) as url:
        accounts = {"default": {**account, "BASE_URL": f"{url}/x"}}
        settings.XCOVER = {**settings.XCOVER, "ACCOUNTS": accounts}
        cache.clear()
        yield sandbox
        factory._client.cache_clear()
    sandbox.close()


@pytest.fixture
def stocked(transactional_db: None) -> None:
    """Put the demo's products on the shelves."""
    data.fill()


@pytest.fixture
def address(stocked: None, xcover: Sandbox) -> Iterator[str]:
    """Return where the shop is served."""
    with serving() as url:
        yield url


@pytest.fixture
def customer(chromium: Browser, address: str) -> Iterator[Callable[..., Customer]]:
    """Return a maker of customers; each has a browser window of their own."""
    contexts = []

    def come(*, script: bool = True, **options: Any) -> Customer:
        context = chromium.new_context(java_script_enabled=script, **options)
        context.set_default_timeout(15_000)
        contexts.append(context)
        return Customer(context.new_page(), address)

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def worker() -> Callable[[], None]:
    """Return what lets a worker catch up."""
    return work
