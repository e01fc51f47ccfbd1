"""A headless shop, and a program that speaks to it for a shopper."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from django_xcover.models import Quote
from django_xcover.sandbox import Sandbox
from django_xcover.types import PolicyRequest
from tests import completion
from tests.api import conforming
from tests.checkout.shopfront import FRONT, Front
from tests.conftest import Shopper, work
from tests.shop import SHOP, Order, ticket

ROOT = "/xcover/api/v1/"


@pytest.fixture
def front(settings: Any) -> Iterator[Front]:
    """Return a shop that has mounted the API only."""
    settings.ROOT_URLCONF = "tests.api.shopfront"
    settings.MIDDLEWARE = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "tests.checkout.shopfront.with_cart",
    ]
    FRONT.__init__()  # type: ignore[misc]
    yield FRONT
    FRONT.__init__()  # type: ignore[misc]


class Program:
    """A storefront's program, with one shopper's cart and session."""

    def __init__(self, shopper: Shopper, front: Front) -> None:
        self.client = APIClient()
        self.shopper = shopper
        self.front = front
        front.cart = shopper.cart
        front.shopper = "ana"

    def gets(self, path: str) -> Any:
        return self._checked("get", path, self.client.get(ROOT + path))

    def posts(self, path: str, **body: Any) -> Any:
        return self._checked("post", path, self.client.post(ROOT + path, body, format="json"))

    def _checked(self, method: str, path: str, response: Any) -> Any:
        conforming.check(method, path, response)
        return response

    def buys(self, *items: PolicyRequest, reference: str = "ORD-1", paid: bool = True) -> Order:
        """Order `items` with cover (two festival tickets by default), and let it be booked."""
        shopper = self.shopper
        shopper.cart = shopper.cart.but(reference=f"cart-{reference}", items=items or (ticket(),))
        for line in range(len(shopper.cart.items)):
            shopper.says(yes=True, line=line)
        order = SHOP.order(reference, owner=self.front.shopper, pays_later=not paid)
        completion.complete(order, shopper.cart, paid=paid)
        work()
        return order


@pytest.fixture
def program(shopper: Shopper, front: Front, sandbox: Sandbox) -> Program:
    """Return Ana's program; two festival tickets are in the cart."""
    return Program(shopper, front)


@pytest.fixture
def insured(program: Program) -> Program:
    """Return Ana's program after a paid order with cover."""
    program.buys()
    return program


def policy_path(rest: str = "") -> str:
    """Return the path of the only policy there is, or of something below it."""
    return f"policies/{Quote.objects.get().quote_id}/{rest}"
