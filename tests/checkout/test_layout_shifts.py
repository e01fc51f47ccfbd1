"""What the page moves under the shopper's eyes, measured as browsers measure it (CLS)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from playwright.sync_api import Browser, expect

from django_xcover.sandbox import Sandbox
from tests.checkout.shopfront import FRONT, Front
from tests.checkout.test_script import LISTEN, Gate, Tab, address
from tests.conftest import PATIENCE, Shopper
from tests.shop import ticket

__all__ = ["address"]

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# "Good" is below 0.1 (web.dev/cls). All shifts are added up, which is never less than CLS.
GOOD = 0.1
MEASURE = """
window.shifts = [];
new PerformanceObserver((list) => shifts.push(...list.getEntries()))
  .observe({ type: "layout-shift", buffered: true });
window.painted = () => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 100))));
"""
SIZES = {"phone": (390, 844), "desktop": (1280, 800)}
# How many lines of the shop's stand above the offer: it is in view, or below the fold.
PLACES = {"in view": 2, "below the fold": 40}


@pytest.fixture(params=SIZES)
def tab(
    request: pytest.FixtureRequest, chromium: Browser, address: str, shopper: Shopper, front: Front
) -> Iterator[Tab]:
    """Return a browser tab that measures what moves; the shopper's cart is in it."""
    front.cart = shopper.cart
    width, height = SIZES[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(PATIENCE)
    context.add_init_script(LISTEN + MEASURE)
    tab = Tab(context.new_page(), address)
    yield tab
    context.close()


def opens(tab: Tab, place: str) -> None:
    """Open the checkout and see the place that is kept for the offer."""
    tab.page.goto(f"{tab.address}/checkout/?above={PLACES[place]}&below=30")
    expect(tab.page.locator(".xcover-waiting").first).to_be_attached()
    tab.page.evaluate("painted()")


def moved(tab: Tab) -> float:
    """Return the sum of what has moved since the page was opened, without the shopper's doing."""
    tab.page.evaluate("painted()")
    sums: float = tab.page.evaluate(
        "shifts.filter((one) => !one.hadRecentInput).reduce((sum, one) => sum + one.value, 0)"
    )
    return sums


def answers_late(times: int) -> None:
    """Let the first looks at the offer find that it is on its way."""
    looks: list[str] = []

    def late(request: HttpRequest) -> HttpResponse | None:
        if request.path != "/xcover/offer/" or len(looks) >= times:
            return None
        looks.append(request.path)
        headers = {"Location": request.get_full_path(), "X-XCover": "1"}
        return HttpResponse(status=202, headers=headers)

    FRONT.before = late


@pytest.mark.parametrize("place", PLACES)
def test_little_moves_when_the_offer_comes(tab: Tab, place: str) -> None:
    gate = Gate("/xcover/offer/")
    opens(tab, place)

    gate.opens()

    expect(tab.yes).to_be_attached()
    assert moved(tab) < GOOD


@pytest.mark.parametrize("place", PLACES)
def test_little_moves_when_the_offer_comes_late(tab: Tab, place: str) -> None:
    answers_late(3)
    opens(tab, place)

    expect(tab.yes).to_be_attached()

    assert moved(tab) < GOOD


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("lines", [1, 2])
def test_nothing_moves_when_no_offer_comes(
    tab: Tab, sandbox: Sandbox, shopper: Shopper, place: str, lines: int
) -> None:
    FRONT.cart = shopper.cart.but(items=tuple(ticket(str(n)) for n in range(lines)))
    sandbox.faults.add("create_quote", "reset", times=None)
    gate = Gate("/xcover/offer/")
    opens(tab, place)

    gate.opens()

    assert tab.hears("ready")["available"] is False
    assert moved(tab) < 0.01


def test_in_place_of_an_offer_that_does_not_come_the_shopper_reads_that_there_is_none(
    tab: Tab, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_quote", "reset", times=None)
    gate = Gate("/xcover/offer/")
    opens(tab, "in view")

    gate.opens()
    tab.hears("ready")

    tab.reads_that_there_is_no_offer()
    box: Any = tab.page.locator("#xcover-offer").bounding_box()
    assert box["y"] + box["height"] <= tab.page.viewport_size["height"] + 1  # type: ignore[index]
    assert tab.complaints == []


def test_below_the_fold_the_place_goes_without_a_word(tab: Tab, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_quote", "reset", times=None)
    gate = Gate("/xcover/offer/")
    opens(tab, "below the fold")

    gate.opens()
    tab.hears("ready")

    expect(tab.page.locator("#xcover-offer")).to_be_hidden()


def test_an_offer_takes_the_place_back_that_was_kept_without_one(tab: Tab) -> None:
    gate = Gate("/xcover/offer/", status=500)
    opens(tab, "in view")
    gate.opens()
    tab.hears("ready")
    FRONT.before = lambda request: None

    tab.page.evaluate("xcover.refresh()")

    expect(tab.yes).to_be_visible()
    assert tab.page.locator("#xcover-offer").evaluate("(place) => place.style.minHeight") == "0px"
