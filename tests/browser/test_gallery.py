"""Every state of the offer in every look, language, direction and colour scheme.

One page per look and language has all states; the browser switches the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import pytest
from django.test import override_settings
from playwright.sync_api import Browser, Page

from django_xcover.testing.gallery import LOOKS
from example_shop.settings import LANGUAGES
from tests.browser.without_server import HOST, axe, opened, violations

__all__ = ["axe"]

pytestmark = pytest.mark.browser

CODES = [code for code, _ in LANGUAGES]
DIRECTIONS = ("ltr", "rtl")
SCHEMES = {
    "light": {"color_scheme": "light", "forced_colors": "none"},
    "dark": {"color_scheme": "dark", "forced_colors": "none"},
    "forced colours": {"color_scheme": "light", "forced_colors": "active"},
}
PHONE = {"width": 390, "height": 844}
NARROW = {"width": 320, "height": 700}
# What the card says before anything is opened, and where its price stands.
MOST_WORDS, LOWEST_PRICE = 80, 120
# Texts that no card can shorten: the shop's names and the terms of each payment.
LONG = {"long", "long-several"}
PLANS = {"plans", "in-parts"}


@pytest.fixture(scope="module")
def page(chromium: Browser, axe: str) -> Iterator[Page]:
    """Return a browser's page with axe, for all languages of the shop."""
    with (
        override_settings(LANGUAGES=LANGUAGES),
        opened(chromium, viewport=PHONE, bypass_csp=True) as page,
    ):
        page.add_init_script(axe)
        yield page


def opens(page: Page, look: str, language: str) -> None:
    """Open all states, with everything unfolded that can be."""
    page.set_viewport_size(PHONE)
    page.emulate_media(color_scheme="light", forced_colors="none")
    page.goto(f"{HOST}/gallery/offer/?look={look}&language={language}")


def turns(page: Page, direction: str, *, unfolded: bool) -> None:
    """Set the page's direction, and unfold or fold its details."""
    page.evaluate(
        """([direction, unfolded]) => {
             document.documentElement.dir = direction;
             for (const details of document.querySelectorAll("details")) details.open = unfolded;
           }""",
        [direction, unfolded],
    )


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_in_any_state(page: Page, look: str, language: str) -> None:
    opens(page, look, language)
    found = {}
    for direction, scheme in product(DIRECTIONS, SCHEMES):
        turns(page, direction, unfolded=scheme != "light")
        page.emulate_media(**SCHEMES[scheme])  # type: ignore[arg-type]
        found[direction, scheme] = violations(page)

    assert {where: what for where, what in found.items() if what} == {}


OVERFLOWS = """() => [...document.querySelectorAll(".state")]
  .filter((state) => state.scrollWidth > state.clientWidth)
  .map((state) => `${state.id} by ${state.scrollWidth - state.clientWidth}`)"""


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("look", LOOKS)
def test_no_state_is_wider_than_a_phone_or_than_large_text_allows(
    page: Page, look: str, language: str
) -> None:
    opens(page, look, language)
    found = {}
    for direction, (width, size) in product(DIRECTIONS, [(320, 16), (390, 32), (320, 32)]):
        turns(page, direction, unfolded=True)
        page.set_viewport_size({"width": width, "height": 700})
        page.evaluate("(size) => document.documentElement.style.fontSize = `${size}px`", size)
        found[direction, width, size] = page.evaluate(OVERFLOWS)

    assert {where: what for where, what in found.items() if what} == {}


BORDERLESS = """() => [...document.querySelectorAll(".xcover-button, .xcover-choice")]
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    const { borderTopWidth: width, borderTopStyle: style, borderTopColor: colour,
      backgroundColor: behind } = getComputedStyle(element);
    return parseFloat(width) < 1 || style === "none" || colour === behind;
  })
  .map((element) => `${element.closest(".state").id}: ${element.className}`)"""


@pytest.mark.parametrize("look", LOOKS)
def test_buttons_keep_their_borders_in_forced_colours(page: Page, look: str) -> None:
    opens(page, look, "en-gb")
    page.emulate_media(forced_colors="active")
    page.wait_for_timeout(0)

    assert page.locator("#unsaved .xcover-button").is_visible()
    assert page.evaluate(BORDERLESS) == []


WEIGHTS = """() => [...document.querySelectorAll(".xcover-choices")].map((choices) => {
  const open = [...choices.querySelectorAll(".xcover-choice:not(:has(:checked))")];
  const looks = open.map((choice) => {
    const style = getComputedStyle(choice);
    const { width, height } = choice.getBoundingClientRect();
    return ["color", "backgroundColor", "borderTopColor", "borderTopWidth", "fontSize",
      "fontWeight"].map((name) => style[name]).concat(Math.round(height), Math.round(width)).join();
  });
  return new Set(looks).size > 1 ? choices.closest(".state").id : "";
}).filter(Boolean)"""


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("look", LOOKS)
def test_yes_and_no_have_the_same_size_and_colour(page: Page, look: str, language: str) -> None:
    opens(page, look, language)

    assert page.evaluate(WEIGHTS) == []


PRICES = """() => Object.fromEntries([...document.querySelectorAll(".state")].flatMap((state) => {
  const card = state.querySelector(".xcover-quote");
  const price = card?.querySelector(".xcover-price");
  if (!price) return [];
  return [[state.id, price.getBoundingClientRect().bottom - card.getBoundingClientRect().top]];
}))"""


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("look", LOOKS)
def test_the_price_stands_at_the_top_of_the_card_on_a_phone(
    page: Page, look: str, language: str
) -> None:
    opens(page, look, language)
    prices = page.evaluate(PRICES)

    low = {name: at for name, at in prices.items() if at > LOWEST_PRICE}
    assert len(prices) > 15
    assert set(low) <= LONG


WORDS = """() => Object.fromEntries([...document.querySelectorAll(".state")].flatMap((state) => {
  const card = state.querySelector(".xcover-quote");
  const words = card?.innerText.split(/\\s+/).filter((word) => /\\p{L}|\\p{N}/u.test(word));
  return words ? [[state.id, words.length]] : [];
}))"""


@pytest.mark.parametrize("language", [code for code in CODES if code != "ja"])
def test_the_card_has_few_words_before_anything_is_opened(page: Page, language: str) -> None:
    opens(page, "card", language)
    turns(page, "ltr", unfolded=False)
    words = page.evaluate(WORDS)

    wordy = {name: count for name, count in words.items() if count > MOST_WORDS}
    assert len(words) > 15
    assert set(wordy) <= LONG | PLANS
