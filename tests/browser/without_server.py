"""The shop's pages in a browser, answered in this process: no server, no thread, no database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import util
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from playwright.sync_api import Browser, Page, Route

from tests.conftest import PATIENCE
from tests.requirements import need_module

HOST = "http://shop.test"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
# The newest recommendations, and what axe calls best practice.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def answer(route: Route) -> None:
    """Answer a request of the browser from the static files or from the views."""
    parts = urlsplit(route.request.url)
    if parts.path.startswith("/static/"):
        found = finders.find(parts.path.removeprefix("/static/"))
        assert isinstance(found, str), parts.path
        route.fulfill(path=found, content_type=TYPES[Path(found).suffix])
        return
    response = Client().get(f"{parts.path}?{parts.query}", HTTP_HOST=parts.netloc)
    route.fulfill(
        status=response.status_code, headers=dict(response.headers), body=response.content
    )


@contextmanager
def opened(chromium: Browser, **options: Any) -> Iterator[Page]:
    """Yield a page of its own context. It has `page.goto(HOST + path)` for the shop's pages."""
    context = chromium.new_context(**options)
    context.set_default_timeout(PATIENCE)
    context.route(f"{HOST}/**", answer)
    yield context.new_page()
    context.close()


def axe_source() -> str:
    """Return the source of axe-core, or skip the test where it isn't installed."""
    need_module("axe_playwright_python", serving="browser")
    spec = util.find_spec("axe_playwright_python")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).with_name("axe.min.js").read_text()


def violations(page: Page, rules: list[str] | None = None) -> list[str]:
    """Return what axe finds on the page, as "rule: element". The page needs `axe_source`."""
    run_only = {"type": "rule" if rules else "tag", "values": rules or RULES}
    options = {"runOnly": run_only, "resultTypes": ["violations"]}
    found: list[str] = page.evaluate(
        """async (options) => (await axe.run(document, options)).violations.flatMap(
             ({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(" ")}`))""",
        options,
    )
    return found


@pytest.fixture(scope="module")
def axe() -> str:
    """Return the source of axe-core."""
    return axe_source()
