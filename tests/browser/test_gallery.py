"""Every state of the offer in every look, language, direction and colour scheme.

Each page has all states in one look and language; the browser switches direction, colours, width
and size of the text on it. What can't change with them is checked once.
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
PAGES = list(product(LOOKS, CODES))
# A language for each direction, where only what CSS does can differ.
ONE_EACH = {"en-gb", "ar"}
SCHEMES = ("dark", "forced colours")
# What the card says before anything is opened, and where its price stands on a phone.
MOST_WORDS, LOWEST_PRICE = 80, 120
# How many words other languages need for one in English.
LONGER = 1.15
# The shop's names, which no card can shorten, and the terms of each payment.
LONG, PLANS = {"long", "long-several"}, {"plans", "in-parts"}
# Cards that also say what became of an earlier yes, and one that opens because answers differ.
NOTICES, OPEN = {"new-price", "new-terms", "ordered"}, {"mixed"}


@pytest.fixture(scope="module")
def browser_page(chromium: Browser, axe: str) -> Iterator[Page]:
    """Return a browser's page with axe, in a shop with all languages."""
    with override_settings(LANGUAGES=LANGUAGES), opened(chromium, bypass_csp=True) as page:
        page.add_init_script(axe)
        yield page


@pytest.fixture(scope="module", params=PAGES, ids="-".join)
def loaded(request: pytest.FixtureRequest, browser_page: Page) -> tuple[Page, str, str]:
    """Return a page with all states in one look and language."""
    look, language = request.param
    browser_page.goto(f"{HOST}/gallery/offer/?look={look}&language={language}")
    return browser_page, look, language


@pytest.fixture
def page(loaded: tuple[Page, str, str]) -> Page:
    """Return the page on a phone, in light colours, with everything folded."""
    page, _, language = loaded
    colours(page, "light")
    looks(page, direction="rtl" if language == "ar" else "ltr")
    return page


@pytest.fixture
def language(loaded: tuple[Page, str, str]) -> str:
    """Return the language of the page."""
    return loaded[2]


def colours(page: Page, scheme: str) -> None:
    """Switch to light, dark or forced colours."""
    forced = scheme == "forced colours"
    page.emulate_media(
        color_scheme="dark" if scheme == "dark" else "light",
        forced_colors="active" if forced else "none",
    )


def looks(
    page: Page, *, direction: str, unfolded: bool = False, width: int = 390, size: int = 16
) -> None:
    """Set the direction, the details, the width in pixels and the size of the page's text."""
    page.set_viewport_size({"width": width, "height": 844})
    page.evaluate(
        """([direction, unfolded, size]) => {
             document.documentElement.dir = direction;
             document.documentElement.style.fontSize = `${size}px`;
             for (const details of document.querySelectorAll("details"))
               details.open = unfolded || details.closest("#mixed") !== null;
           }""",
        [direction, unfolded, size],
    )


def test_axe_finds_nothing_in_any_state(page: Page, language: str) -> None:
    own, other = DIRECTIONS if language != "ar" else DIRECTIONS[::-1]
    found = {}
    looks(page, direction=own, unfolded=True)
    found["all"] = violations(page)
    # Texts have contrast, or haven't, in each language alike.
    for scheme in SCHEMES if language in ONE_EACH else ():
        colours(page, scheme)
        found[scheme] = violations(page, ["color-contrast", "link-in-text-block"])
    # Only the places of the targets depend on the direction.
    looks(page, direction=other, unfolded=True)
    found[other] = violations(page, ["target-size"])

    assert {where: what for where, what in found.items() if what} == {}


OVERFLOWS = """() => [...document.querySelectorAll(".state")]
  .filter((state) => state.scrollWidth > state.clientWidth)
  .map((state) => `${state.id} by ${state.scrollWidth - state.clientWidth}`)"""


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_no_state_is_wider_than_a_phone_even_with_large_text(page: Page, direction: str) -> None:
    found = {}
    for width, size in [(320, 16), (390, 32), (320, 32)]:
        looks(page, direction=direction, unfolded=True, width=width, size=size)
        found[width, size] = page.evaluate(OVERFLOWS)

    assert {where: what for where, what in found.items() if what} == {}


BORDERLESS = """() => [...document.querySelectorAll(".xcover-button, .xcover-choice")]
  .filter((element) => element.checkVisibility())
  .filter((element) => {
    const { borderTopWidth: width, borderTopStyle: style, borderTopColor: colour,
      backgroundColor: behind } = getComputedStyle(element);
    return parseFloat(width) < 1 || style === "none" || colour === behind;
  })
  .map((element) => `${element.closest(".state").id}: ${element.className}`)"""


def test_buttons_keep_their_borders_in_forced_colours(page: Page) -> None:
    colours(page, "forced colours")

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


def test_yes_and_no_have_the_same_size_and_colour(page: Page) -> None:
    assert page.evaluate(WEIGHTS) == []


PRICES = """() => Object.fromEntries([...document.querySelectorAll(".state")].flatMap((state) => {
  const card = state.querySelector(".xcover-quote");
  const price = card?.querySelector(".xcover-price");
  if (!price) return [];
  return [[state.id, price.getBoundingClientRect().bottom - card.getBoundingClientRect().top]];
}))"""


def test_the_price_stands_at_the_top_of_the_card_on_a_phone(page: Page) -> None:
    prices = page.evaluate(PRICES)

    low = {name: at for name, at in prices.items() if at > LOWEST_PRICE}
    assert len(prices) > 15
    assert set(low) <= LONG


WORDS = """(language) => {
  const segmenter = new Intl.Segmenter(language, { granularity: "word" });
  return Object.fromEntries([...document.querySelectorAll(".state")].flatMap((state) => {
    const text = state.querySelector(".xcover-quote")?.innerText;
    const words = text && [...segmenter.segment(text)].filter((word) => word.isWordLike);
    return words ? [[state.id, words.length]] : [];
  }));
}"""


def test_the_card_has_few_words_before_anything_is_opened(page: Page, language: str) -> None:
    words = page.evaluate(WORDS, language)

    most = MOST_WORDS if language == "en-gb" else MOST_WORDS * LONGER
    wordy = {name: count for name, count in words.items() if count > most}
    assert len(words) > 15
    assert set(wordy) <= LONG | PLANS | NOTICES | OPEN
