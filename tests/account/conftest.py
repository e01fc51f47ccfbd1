"""A shopper who has bought cover, in front of their own pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any

import pytest
from django.test import Client

from django_xcover.models import Operation, OperationState, Quote
from django_xcover.sandbox import Sandbox
from django_xcover.types import PolicyRequest
from tests import completion
from tests.checkout.conftest import TEMPLATES
from tests.checkout.page import Page
from tests.checkout.shopfront import FRONT, Front
from tests.conftest import ReadCart, Shopper, work
from tests.shop import SHOP, Cart, Order, ticket


@pytest.fixture
def front(settings: Any) -> Iterator[Front]:
    """Return the shop's pages around the package's own templates."""
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


class Member:
    """Somebody known to the shop, who buys, looks at pages and posts forms."""

    def __init__(self, name: str, front: Front, read: ReadCart) -> None:
        self.name = name
        self.client = Client(enforce_csrf_checks=False)
        self._front = front
        self._read = read

    def buys(
        self, *items: PolicyRequest, reference: str = "ORD-1", paid: bool = True, now: bool = True
    ) -> Order:
        """Order `items` with cover (two festival tickets by default), and let it be booked."""
        cart = Cart(reference=f"cart-{reference}", items=items or (ticket(),))
        shopper = Shopper(cart, self._read)
        for line in range(len(cart.items)):
            shopper.says(yes=True, line=line)
        order = SHOP.order(reference, owner=self.name, pays_later=not paid)
        completion.complete(order, cart, paid=paid)
        if now:
            work()
        return order

    def gets(self, path: str) -> Any:
        """Return the response to a look at `path`."""
        self._front.shopper = self.name
        return self.client.get(path)

    def opens(self, path: str) -> Page:
        """Return the page at `path`, which must be there."""
        response = self.gets(path)
        assert response.status_code == HTTPStatus.OK, response.content
        return Page(response.content)

    def posts(self, path: str, **fields: Any) -> Any:
        """Return the response to a form."""
        self._front.shopper = self.name
        return self.client.post(path, fields)


@pytest.fixture
def come(sandbox: Sandbox, front: Front, read: ReadCart) -> Callable[[str], Member]:
    """Return a maker of shoppers by name."""
    return lambda name: Member(name, front, read)


@pytest.fixture
def ana(come: Callable[[str], Member]) -> Member:
    """Return Ana, who has bought nothing yet."""
    return come("ana")


@pytest.fixture
def bob(come: Callable[[str], Member]) -> Member:
    """Return somebody else."""
    return come("bob")


def the_policy() -> Quote:
    """Return the only quote there is, as it stands now."""
    return Quote.objects.select_related("package").get()


def page_of(quote: Quote | None = None, rest: str = "") -> str:
    """Return the address of a policy's page, or of one below it."""
    quote = quote or the_policy()
    return f"/xcover/mycover/policies/{quote.quote_id}/{rest}"


def waits_for_a_person() -> None:
    """Let every open operation need a person."""
    Operation.objects.exclude(state=OperationState.DONE).update(state=OperationState.NEEDS_PERSON)


def text_of(page: Page) -> str:
    """Return all that a shopper reads."""
    return page.one("main").text
