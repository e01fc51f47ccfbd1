"""The gallery's page: its switches, its theme editor, and its strict policy."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client, override_settings
from playwright.sync_api import Browser, Page, expect

from example_shop.settings import LANGUAGES
from tests.browser.without_server import HOST, axe, opened, violations

__all__ = ["axe"]

pytestmark = pytest.mark.browser
REPORT = (
    "addEventListener('securitypolicyviolation', (one) => console.error(one.violatedDirective))"
)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Return the gallery in a browser that reports what the policy forbids."""
    with override_settings(LANGUAGES=LANGUAGES), opened(chromium) as page:
        page.add_init_script(REPORT)
        yield page


def accent(page: Page) -> str:
    """Return the colour of a link in the states."""
    link = page.frame_locator("#states").locator("#one .xcover-link").first
    colour: str = link.evaluate("(link) => getComputedStyle(link).color")
    return colour


@pytest.mark.parametrize("name", ["look", "language", "scheme", "direction", "width"])
def test_an_unusable_switch_falls_back_to_its_default(name: str) -> None:
    response = Client().get("/gallery/offer/", {name: '"><script>'})

    assert response.status_code == 200
    assert b'"><script>' not in response.content
    assert b"xcover-look-card" in response.content


def test_no_other_site_frames_the_states() -> None:
    response = Client().get("/gallery/offer/")

    assert response["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in response["Content-Security-Policy"]
    assert "unsafe" not in response["Content-Security-Policy"]


def test_the_demo_links_to_the_gallery_at_its_foot() -> None:
    assert b'href="/gallery/"' in Client().get("/gallery/").content


def test_a_theme_is_previewed_copied_and_reset_without_a_violation_of_the_policy(
    page: Page,
) -> None:
    problems: list[str] = []
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{HOST}/gallery/")
    before = accent(page)

    page.get_by_label("Accent --xcover-accent").fill("#7a1f5c")

    assert accent(page) == "rgb(122, 31, 92)"
    css = page.locator("[data-css]")
    expect(css).to_have_text(":root {\n  --xcover-accent: #7a1f5c;\n}", use_inner_text=True)
    page.get_by_role("button", name="Copy the CSS").click()
    expect(page.locator("[data-copied]")).not_to_be_empty()
    page.get_by_role("button", name="Reset").click()
    assert accent(page) == before
    assert [problem for problem in problems if "Opener-Policy" not in problem] == []


def test_the_switches_change_the_states_and_keep_the_theme(page: Page) -> None:
    page.goto(f"{HOST}/gallery/")
    page.get_by_label("Accent --xcover-accent").fill("#7a1f5c")

    page.locator("#id_language").select_option("ar")
    page.locator("#id_look").select_option("plain")
    page.locator("#id_width").select_option("320")

    states = page.frame_locator("#states")
    expect(states.locator("html")).to_have_attribute("dir", "rtl")
    expect(states.locator("#one .xcover-look-plain")).to_be_visible()
    assert accent(page) == "rgb(122, 31, 92)"
    assert states.locator("html").evaluate("(root) => root.clientWidth") == 320


def test_axe_finds_nothing_on_the_page_around_the_states(chromium: Browser, axe: str) -> None:
    with opened(chromium, bypass_csp=True) as page:
        page.goto(f"{HOST}/gallery/")
        page.evaluate(axe)

        assert violations(page) == []
