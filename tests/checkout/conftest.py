"""A shop's checkout around the offer, and a shopper's browser in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

import django_xcover
from django_xcover.mirror.presentation import Offer
from django_xcover.models import Quote
from django_xcover.sandbox import Sandbox
from tests.checkout.page import Page
from tests.checkout.shopfront import FRONT, Front
from tests.conftest import Shopper

# The package's own templates and no shop's.
TEMPLATES = {
    "BACKEND": "django.template.backends.django.DjangoTemplates",
    "DIRS": [Path(django_xcover.__file__).parent / "templates"],
    "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
}
AS_SCRIPT = {"Accept": "application/json"}
AS_FORM = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def front(settings: Any) -> Iterator[Front]:
    """Return the shop's pages; its cart is the shopper's."""
    settings.ROOT_URLCONF = "tests.checkout.shopfront"
    settings.TEMPLATES = [TEMPLATES]
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "tests.checkout.shopfront.with_cart",
    ]
    FRONT.__init__()  # type: ignore[misc]
    yield FRONT
    FRONT.__init__()  # type: ignore[misc]


class Visitor:
    """A shopper who looks at pages and posts forms."""

    def __init__(self, client: Client, shopper: Shopper, front: Front) -> None:
        self.client = client
        self.shopper = shopper
        self.front = front
        front.cart = shopper.cart

    def is_offered(self) -> Offer:
        """Let XCover quote the cart, and return the offer."""
        return self.shopper.sees()

    def opens(self, path: str) -> Page:
        """Return the page at `path`, which must be there."""
        response = self.client.get(path)
        assert response.status_code == 200, response.content
        return Page(response.content)

    def posts(self, **fields: str) -> Any:
        """Return the response to an answer that the plain form sends."""
        return self.client.post("/xcover/choose/", fields, headers=AS_FORM)

    def sends(self, **fields: str | list[str]) -> Any:
        """Return the response to an answer that the script sends."""
        return self.client.post("/xcover/choose/", fields, headers=AS_SCRIPT)


@pytest.fixture
def visitor(client: Client, shopper: Shopper, front: Front) -> Visitor:
    """Return a shopper with two festival tickets, in front of the shop's pages."""
    return Visitor(client, shopper, front)


def vendor_says(**content: Any) -> None:
    """Change what XCover answered for the only quote: `policy`, `benefits`, `pds_url`, …"""
    quote = Quote.objects.get()
    Quote.objects.update(payload={**quote.payload, **content})


def calls(sandbox: Sandbox) -> int:
    """Return how many calls XCover got."""
    return len(sandbox.calls())
