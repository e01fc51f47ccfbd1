"""A shop that asks for a login everywhere still sells cover to guests."""

from __future__ import annotations

from typing import Any

import pytest
from django.urls import resolve

from tests.checkout.conftest import Visitor, front, visitor
from tests.security.walking import addresses

__all__ = ["front", "visitor"]

AUTHENTICATED = [
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
]


@pytest.mark.parametrize("urls", ["tests.checkout.shopfront", "tests.api.shopfront"])
def test_no_address_of_the_package_asks_for_a_login(settings: Any, urls: str) -> None:
    settings.ROOT_URLCONF = urls
    places = {"quote_id": "1", "account": "default", "kind": "wording"}
    found = list(addresses(places, below="/xcover/"))

    closed = [path for path in found if getattr(resolve(path).func, "login_required", True)]

    assert len(found) > 4
    assert closed == []


@pytest.mark.django_db
def test_a_guest_sees_and_answers_the_offer_and_opens_a_document(
    visitor: Visitor, settings: Any
) -> None:
    sessions, *others = settings.MIDDLEWARE
    settings.MIDDLEWARE = [sessions, *AUTHENTICATED, *others]

    offer = visitor.client.get("/xcover/offer/")
    (quote,) = visitor.is_offered().quotes
    answer = visitor.posts(quote=quote.quote_id, choice="yes", next="/checkout/")
    page = visitor.client.get(f"/xcover/documents/{quote.quote_id}/certificate/")

    assert offer.status_code in {200, 202}
    assert answer.status_code == 303
    assert answer.url.startswith("/checkout/")
    assert page.status_code == 404  # not booked yet, and no way to a login
