"""The script on a real page: what the shopper sees, and what the shop hears."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from playwright.sync_api import Browser, Locator, Page, expect

from django_xcover.models import Decision, Quote
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from tests.checkout.shopfront import FRONT, Front
from tests.conftest import PATIENCE, Shopper
from tests.serving import serving
from tests.shop import Cart, ticket

LISTEN = """
window.heard = [];
for (const name of ["ready", "change", "error"])
  document.addEventListener(`xcover:${name}`, (event) => {
    window.heard.push([name, event.detail]);
    document.documentElement.toggleAttribute(`data-heard-${name}`, true);
  });
"""

NO_OFFER = "No insurance is available for your order at the moment. You can continue without it."

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


class Tab:
    """The checkout page in a browser, and what its console and the shop's listeners heard."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.address = address

    def opens(self) -> Tab:
        self.page.goto(f"{self.address}/checkout/")
        return self

    @property
    def yes(self) -> Locator:
        return self.page.get_by_label("Yes, add cover for")

    @property
    def no(self) -> Locator:
        return self.page.get_by_label("No, continue without cover")

    @property
    def status(self) -> Locator:
        return self.page.get_by_role("status").filter(has_text="Saved")

    @property
    def items(self) -> Locator:
        """The forms of the single items, on a card with several."""
        return self.page.locator("#xcover-each form")

    def chooses_for_each_item(self) -> None:
        """Open what a card with several items keeps folded."""
        self.page.get_by_text("Choose for each item").click()

    def reads_that_there_is_no_offer(self) -> None:
        """Read it in the place that was kept in view, and nothing else there."""
        expect(self.page.locator("#xcover-offer")).to_have_text(NO_OFFER)
        expect(self.page.locator("#xcover-offer > *")).to_have_count(0)

    def hears(self, name: str) -> Any:
        """Return what the last `xcover:<name>` said, waiting for the first."""
        expect(self.page.locator(f"html[data-heard-{name}]")).to_be_attached()
        return self.page.evaluate(f"heard.findLast(([name]) => name === '{name}')[1]")


@pytest.fixture
def address(shopper: Shopper, front: Front) -> Iterator[str]:
    """Return where the shop is served, with its own middleware."""
    with serving() as url:
        yield url


@pytest.fixture
def tab(chromium: Browser, address: str, shopper: Shopper, front: Front) -> Iterator[Tab]:
    """Return a browser tab; the shopper's cart is in it."""
    front.cart = shopper.cart
    context = chromium.new_context()
    context.set_default_timeout(PATIENCE)
    context.add_init_script(LISTEN)
    tab = Tab(context.new_page(), address)
    yield tab
    context.close()


class Gate:
    """Holds back the answers to requests to `path` until it is opened."""

    def __init__(self, path: str, status: int = 0) -> None:
        self._opened = Event()
        self._path, self._status = path, status
        FRONT.before = self._wait

    def opens(self) -> None:
        self._opened.set()

    def _wait(self, request: HttpRequest) -> HttpResponse | None:
        if request.path != self._path:
            return None
        self._opened.wait(timeout=PATIENCE / 1000)
        return HttpResponse("no", status=self._status) if self._status else None


def fails(path: str, status: int = 500) -> None:
    """Let requests to `path` fail."""
    FRONT.before = lambda request: (
        HttpResponse("no", status=status) if request.path == path else None
    )


def test_an_offer_that_does_not_come_is_said_quietly(tab: Tab, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_quote", "reset", times=None)

    tab.opens()

    tab.reads_that_there_is_no_offer()
    assert tab.hears("ready")["available"] is False
    tab.page.get_by_role("button", name="Pay").click()
    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")


@pytest.mark.parametrize("status", [429, 500, 503])
def test_an_error_of_the_fragments_own_is_no_offer_and_the_shop_is_told(
    tab: Tab, status: int
) -> None:
    def refuse(request: HttpRequest) -> HttpResponse | None:
        if request.path != "/xcover/offer/":
            return None
        return HttpResponse("no", status=status, headers={"X-XCover": "1"})

    FRONT.before = refuse

    tab.opens()

    assert tab.hears("error") == {"status": status}
    assert tab.hears("ready")["available"] is False
    tab.reads_that_there_is_no_offer()


def test_a_refused_answer_keeps_its_reason_when_the_new_offer_comes_late(
    tab: Tab, shopper: Shopper
) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()
    FRONT.cart = shopper.cart.but(items=(ticket(price="80"),))
    looks = iter([quoting.BEGUN])
    honest = quoting.look

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            quoting, "look", lambda *cart, **how: next(looks, None) or honest(*cart, **how)
        )
        tab.yes.click()
        expect(tab.page.get_by_role("alert")).to_contain_text("The offer has changed")
        expect(tab.yes).to_have_count(0)
        expect(tab.yes).to_be_visible()

    expect(tab.page.get_by_role("alert")).to_contain_text("The offer has changed")
    expect(tab.yes).not_to_be_checked()
    tab.page.evaluate("xcover.refresh()")
    expect(tab.page.get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_an_error_of_our_own_is_no_offer_and_tells_the_shop(tab: Tab, status: int) -> None:
    fails("/xcover/offer/", status)

    tab.opens()

    assert tab.hears("error") == {"status": status}
    tab.reads_that_there_is_no_offer()


def test_an_offer_that_takes_too_long_is_given_up(
    tab: Tab, settings: Any, sandbox: Sandbox
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": 0.01}
    gate = Gate("/xcover/offer/")

    tab.opens()

    tab.reads_that_there_is_no_offer()
    assert tab.hears("error") == {"status": 0}
    gate.opens()


def test_an_answer_that_cannot_be_saved_says_so_and_can_be_repeated(tab: Tab) -> None:
    fails("/xcover/choose/")
    tab.opens()

    tab.yes.check()

    expect(tab.page.get_by_role("alert")).to_have_text(
        "We couldn't save your answer. Please try again."
    )
    assert not Decision.objects.exists()
    FRONT.before = lambda request: None
    tab.page.get_by_role("button", name="Save my answer").click()
    expect(tab.status).to_have_text("Saved: cover is added to your order.")
    expect(tab.page.get_by_role("alert")).to_be_hidden()


def test_an_order_is_not_sent_with_an_answer_that_was_not_saved(tab: Tab) -> None:
    gate = Gate("/xcover/choose/", status=500)
    tab.opens()
    tab.yes.check()

    tab.page.get_by_role("button", name="Pay").click()
    gate.opens()

    expect(tab.page.get_by_role("alert")).to_be_visible()
    assert FRONT.orders == []
    tab.page.get_by_role("button", name="Pay").click()
    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")


def test_paying_at_once_does_not_overtake_the_answer(tab: Tab) -> None:
    tab.opens()
    gate = Gate("/xcover/choose/")
    tab.yes.check()

    tab.page.get_by_role("button", name="Pay").dblclick()
    gate.opens()

    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")
    assert Decision.objects.get().choice == "accepted"
    assert FRONT.orders == ["placed"]


def test_of_several_quick_answers_the_last_one_counts(tab: Tab) -> None:
    tab.opens()
    gate = Gate("/xcover/choose/")

    tab.yes.check()
    tab.no.check()
    tab.yes.check()
    tab.no.check()
    gate.opens()

    expect(tab.status).to_have_text("Saved: no cover is added to your order.")
    tab.page.evaluate("xcover.settled()")
    assert Quote.objects.get().choice == "declined"
    assert tab.hears("change")["choice"] == "declined"
    choices = [decision.choice for decision in Decision.objects.order_by("pk")]
    assert choices == ["accepted", "declined"]


def test_an_answer_to_an_offer_that_changed_brings_the_new_one_unticked(
    tab: Tab, shopper: Shopper
) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()
    FRONT.cart = shopper.cart.but(items=(ticket(price="80"),))

    tab.yes.focus()
    tab.page.keyboard.press("Space")

    expect(tab.page.get_by_role("alert")).to_contain_text("The offer has changed")
    expect(tab.yes).not_to_be_checked()
    assert tab.hears("error")["status"] == 409
    assert tab.hears("change")["choice"] == ""
    assert tab.page.evaluate("document.activeElement.closest('#xcover-offer') !== null")


def test_an_emptied_cart_is_told_in_place_of_the_offer(tab: Tab) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()
    FRONT.cart = None

    tab.yes.click()  # not `check`, which looks for the radio after it has gone

    expect(tab.page.get_by_role("alert")).to_have_text(
        "There is nothing left in your cart to insure."
    )
    expect(tab.yes).to_have_count(0)


def test_the_offer_arrives_unticked_and_the_answer_reaches_the_shop(tab: Tab) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()
    assert tab.hears("ready")["available"] is True
    assert tab.page.locator(":checked").count() == 0
    expect(tab.page.get_by_role("button", name="Save my answer")).to_be_hidden()

    tab.yes.check()

    expect(tab.status).to_have_text("Saved: cover is added to your order.")
    quote = Quote.objects.get()
    assert tab.hears("change") == {
        "quote": quote.quote_id,
        "quotes": [quote.quote_id],
        "choice": "accepted",
        "plan": "",
        "premium": "7.89",
        "premiumFormatted": "£7.89",
        "currency": "GBP",
        "answered": True,
    }
    assert tab.complaints == []


def test_the_keyboard_alone_answers_and_focus_stays(tab: Tab) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()

    tab.yes.focus()
    tab.page.keyboard.press("ArrowDown")

    expect(tab.status).to_be_visible()
    expect(tab.no).to_be_focused()
    expect(tab.no).to_be_checked()


def test_a_stored_answer_is_there_at_once_and_nothing_is_fetched(
    tab: Tab, shopper: Shopper
) -> None:
    shopper.says(yes=True)
    fails("/xcover/offer/")

    tab.opens()

    expect(tab.yes).to_be_checked()
    ready = tab.hears("ready")
    assert (ready["available"], ready["answered"], ready["premium"]) == (True, True, "7.89")


def test_a_cart_changed_in_place_is_offered_anew(tab: Tab, shopper: Shopper) -> None:
    tab.opens()
    expect(tab.page.locator("[data-xcover-quote]")).to_have_count(1)
    FRONT.cart = shopper.cart.but(items=(ticket(), ticket("other")))

    tab.page.evaluate("document.dispatchEvent(new Event('xcover:refresh'))")

    expect(tab.items).to_have_count(2)


def test_a_place_that_is_swapped_in_later_is_filled_once(tab: Tab) -> None:
    tab.opens()
    expect(tab.yes).to_be_visible()
    tab.page.evaluate("heard.length = 0")

    tab.page.evaluate(
        """() => {
          const place = document.querySelector("#xcover-offer");
          const copy = place.cloneNode(false);
          place.replaceWith(copy);
        }"""
    )

    expect(tab.yes).to_be_visible()
    assert tab.page.evaluate("heard.filter(([name]) => name === 'ready').length") == 1


def test_two_offers_are_answered_each_on_its_own(tab: Tab) -> None:
    FRONT.cart = Cart(items=(ticket(), ticket("other")))
    tab.opens()
    tab.chooses_for_each_item()

    tab.items.first.get_by_label("Yes").check()
    expect(tab.status).to_have_count(1)
    tab.items.last.get_by_label("No").check()

    expect(tab.status).to_have_count(2)
    assert tab.hears("change")["answered"] is True
    assert sorted(Quote.objects.values_list("choice", flat=True)) == ["accepted", "declined"]


def test_without_javascript_the_same_answer_takes_a_page_of_its_own(
    chromium: Browser, address: str
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    plain = Tab(context.new_page(), address).opens()

    plain.page.get_by_role("link", name="See the offer").click()
    plain.page.get_by_role("button", name="Save my answer").click()
    expect(plain.page.get_by_text("Please choose yes or no.")).to_be_visible()
    plain.yes.check()
    plain.page.get_by_role("button", name="Save my answer").click()

    expect(plain.page).to_have_url(f"{address}/checkout/#xcover-offer")
    expect(plain.yes).to_be_checked()
    plain.no.check()
    with plain.page.expect_navigation():  # the answer is ticked on the page before it, too
        plain.page.get_by_role("button", name="Save my answer").click()
    expect(plain.no).to_be_checked()
    assert Quote.objects.get().choice == "declined"
    context.close()


def test_an_order_without_an_answer_is_held_once_and_points_at_the_offer(
    tab: Tab, front: Front
) -> None:
    front.ask = True
    tab.page.goto(f"{tab.address}/checkout/?above=80")
    expect(tab.yes).to_be_visible()

    tab.page.get_by_role("button", name="Pay").click()

    expect(tab.page.get_by_role("alert")).to_have_text("Please choose yes or no.")
    expect(tab.page.get_by_role("alert")).to_be_in_viewport()
    expect(tab.yes).to_be_focused()
    assert FRONT.orders == []
    tab.page.get_by_role("button", name="Pay").click()
    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")


def test_a_shop_that_asks_never_waits_for_an_offer_that_is_not_there(
    tab: Tab, front: Front
) -> None:
    front.ask = True
    fails("/xcover/offer/")
    tab.opens()

    tab.page.get_by_role("button", name="Pay").click()

    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")


def test_nobody_is_asked_after_a_no(tab: Tab, front: Front) -> None:
    front.ask = True
    tab.opens()
    tab.no.check()
    expect(tab.status).to_have_text("Saved: no cover is added to your order.")

    tab.page.get_by_role("button", name="Pay").click()

    expect(tab.page.get_by_role("heading")).to_have_text("Thank you")


def test_an_answer_to_all_items_is_one_to_each_and_may_be_changed_for_one(
    tab: Tab, front: Front, shopper: Shopper
) -> None:
    front.cart = shopper.cart = Cart(items=(ticket("a"), ticket("b")))
    tab.opens()
    every = tab.page.locator("#xcover-every")
    every.get_by_label("Yes, add cover for").check()
    expect(every.get_by_role("status")).to_contain_text("Saved")

    tab.chooses_for_each_item()
    items = tab.items
    expect(items.nth(0).get_by_label("Yes")).to_be_checked()
    items.nth(1).get_by_label("No").check()

    expect(items.nth(1).get_by_role("status")).to_contain_text("Saved: no cover")
    expect(items.nth(1).get_by_label("No")).to_be_focused()
    expect(every.get_by_label("Yes")).not_to_be_checked()
    assert sorted(Quote.objects.values_list("choice", flat=True)) == ["accepted", "declined"]
    assert tab.hears("change")["answered"] is True
