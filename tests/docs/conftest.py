"""The shop of the pages, set up as they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery.app import app_or_default
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import RequestFactory

from tests.docs.shop import ENVIRONMENT, Cart, readme_shop


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the variables that the pages read, and put back the Celery app that one of them makes.

    A new app is the current one from then on, and every task the tests look at would be its own.
    """
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    ours = app_or_default()
    yield
    ours.set_current()


@pytest.fixture
def myshop(environment: None, settings: Any) -> Iterator[dict[str, Any]]:
    """Return the names of the README's modules, with its settings in force."""
    with readme_shop() as names:
        settings.XCOVER = names["XCOVER"]
        yield names


@pytest.fixture
def request_with(rf: RequestFactory) -> Callable[[Cart], HttpRequest]:
    """Return a maker of requests as the README's shop gets them."""

    def make(cart: Cart) -> HttpRequest:
        request = rf.get("/checkout/")
        request.cart = cart  # type: ignore[attr-defined]
        request.user = AnonymousUser()
        return request

    return make
