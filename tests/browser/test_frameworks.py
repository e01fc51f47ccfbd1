"""The offer looks the same on pages with Bootstrap, Tailwind or a shop's own style."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import RequestFactory
from playwright.sync_api import Browser, Page

from django_xcover.testing.gallery import LOOKS, states
from tests.browser.without_server import opened

pytestmark = pytest.mark.browser

FOLDER = Path(__file__).parent / "frameworks"
FRAMEWORKS = {
    "bootstrap": ["bootstrap-reboot"],
    "tailwind": ["tailwind-preflight"],
    "tailwind with forms": ["tailwind-preflight", "tailwind-forms"],
    "plain shop": ["plain-shop"],
}
ORDERS = ("before", "after")
# What the offer inherits on purpose is the same on all pages.
PAGE_STYLE = """html { font: 16px/1.5 sans-serif; }
body { margin: 0; padding: 1rem; color: #111; background: #fff; font: 1rem/1.5 sans-serif; }
.state { margin: 0 0 2rem; }"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    """Return a page of a browser."""
    options = {"viewport": {"width": 390, "height": 844}, "reduced_motion": "reduce"}
    with opened(chromium, **options) as page:
        yield page


@pytest.fixture(scope="module")
def sections() -> dict[str, str]:
    """Return the states in each look, the same for all pages: ids differ each time."""
    request = RequestFactory().get("/")
    return {
        look: "".join(
            f'<section class="state" id="{state.name}">{state.html}</section>'
            for state in states(request, look=look)
        )
        for look in LOOKS
    }


def opens(page: Page, body: str, framework: str = "", order: str = "before") -> None:
    """Show the states with the style sheets of `framework` before or after the package's."""
    found = finders.find("xcover/xcover.css")
    assert isinstance(found, str)
    own = [Path(found).read_text()]
    others = [(FOLDER / f"{name}.css").read_text() for name in FRAMEWORKS.get(framework, [])]
    sheets = [*others, *own] if order == "before" else [*own, *others]
    styles = "".join(f"<style>{sheet}</style>" for sheet in (*sheets, PAGE_STYLE))
    page.set_content(f'<!doctype html><html lang="en"><title>x</title>{styles}<body>{body}')
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")


# What makes up the look of an element. Lines without a width have no look.
READ = """() => {
  const names = ["backgroundColor", "backgroundImage", "borderTopLeftRadius", "boxShadow",
    "boxSizing", "color", "cursor", "display", "float", "fontFamily", "fontSize", "fontStyle",
    "fontWeight", "height", "letterSpacing", "lineHeight", "listStyleType", "marginBlock",
    "marginInline", "opacity", "paddingBlock", "paddingInline", "textAlign", "textDecorationLine",
    "textTransform", "verticalAlign", "whiteSpace", "width"];
  const sides = ["Top", "Right", "Bottom", "Left"];
  const read = (element) => {
    const style = getComputedStyle(element);
    const drawn = sides.filter((side) => parseFloat(style[`border${side}Width`]));
    const borders = drawn.map((side) =>
      ["Width", "Style", "Color"].map((part) => style[`border${side}${part}`]).join(" "));
    const own = names.map((name) => `${name}: ${style[name]}`);
    // A button looks like one by its borders and colours; it isn't drawn by the system.
    const drawnBySystem = element.matches("input") ? `appearance: ${style.appearance}` : "";
    return [...own, `borders: ${borders}`, drawnBySystem].filter(Boolean);
  };
  return [...document.querySelectorAll(".state .xcover, .state .xcover *")]
    .filter((element) => element.checkVisibility() && !element.matches("input[type=hidden]"))
    .map((element) => {
      const name = element.className || element.parentElement.className;
      return [`${element.tagName.toLowerCase()}.${name}`, ...read(element)].join("\\n");
    })
    .join("\\n\\n");
}"""


def differences(expected: str, found: str) -> list[str]:
    """Return what differs, for each kind of element once."""
    pairs = zip(expected.split("\n\n"), found.split("\n\n"), strict=True)
    lines = [
        f"{was.splitlines()[0]} {one} became {other}"
        for was, now in pairs
        if was != now
        for one, other in zip(was.split("\n"), now.split("\n"), strict=True)
        if one != other
    ]
    return list(dict.fromkeys(lines))


@pytest.mark.parametrize("look", LOOKS)
def test_no_element_looks_different_under_a_framework(
    page: Page, sections: dict[str, str], look: str
) -> None:
    opens(page, sections[look])
    expected = page.evaluate(READ)
    found = {}
    for framework, order in product(FRAMEWORKS, ORDERS):
        opens(page, sections[look], framework, order)
        found[framework, order] = differences(expected, page.evaluate(READ))

    assert {where: what for where, what in found.items() if what} == {}


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_nothing_is_wider_than_a_narrow_phone_under_a_framework(
    page: Page, sections: dict[str, str], framework: str, order: str
) -> None:
    page.set_viewport_size({"width": 320, "height": 700})
    opens(page, sections["card"], framework, order)

    wide = page.evaluate(
        """() => [...document.querySelectorAll(".state")]
             .filter((state) => state.scrollWidth > state.clientWidth).map((state) => state.id)"""
    )
    page.set_viewport_size({"width": 390, "height": 844})
    assert wide == []
