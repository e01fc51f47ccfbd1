"""A guest of the example shop adds cover by the link in an e-mail, in another browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from django_xcover.cover import after_sale_path
from django_xcover.models import AfterSaleOffer, Quote
from example_shop.card import DECLINED_CARD
from tests.conftest import work
from tests.example_shop.conftest import CARD, Shopper

pytestmark = pytest.mark.django_db


@pytest.fixture
def path(shopper: Shopper, xcover_sandbox: Any, settings: Any) -> str:
    """Return the link of an order that was placed without cover."""
    settings.XCOVER = {**settings.XCOVER, "AFTER_SALE_DAYS": 7}
    shopper.answers("no")
    order = shopper.orders()
    shopper.pays(order)
    return after_sale_path(order.number)


def fields_of(client: Client, path: str) -> dict[str, str]:
    """Return what the page's form posts."""
    page = client.get(path).content.decode()
    return dict(re.findall(r'name="(quote|shown)" value="([^"]+)"', page))


def says_yes(client: Client, path: str, fields: dict[str, str]) -> str:
    """Say yes and return where that leads."""
    location: str = client.post(path, {**fields, "choice": "yes"})["Location"]
    return location


def accepts(client: Client, path: str) -> str:
    """Open the page, say yes and return where that leads."""
    return says_yes(client, path, fields_of(client, path))


@pytest.mark.parametrize("token", ["", "?pass=forged"])
def test_a_stranger_who_knows_the_number_of_a_payment_does_not_see_it(
    path: str, token: str
) -> None:
    payment = accepts(Client(), path).partition("?")[0]

    assert Client().get(f"{payment}{token}").status_code == 404


def test_the_pass_of_one_payment_is_none_for_another(path: str) -> None:
    guest = Client()
    fields = fields_of(guest, path)
    payment = says_yes(guest, path, fields)
    guest.post(path, {"choice": "no"})
    again = says_yes(guest, path, fields)

    assert again != payment
    assert guest.get(f"{again.partition('?')[0]}?{payment.partition('?')[2]}").status_code == 404


def test_a_guest_without_a_session_pays_and_does_not_see_the_order(path: str) -> None:
    guest = Client()
    payment = accepts(guest, path)
    assert guest.get(payment).status_code == 200
    assert guest.post(payment, {**CARD, "number": DECLINED_CARD}).status_code == 422

    answer = guest.post(payment, CARD)
    work()

    assert answer["Location"].startswith("/xcover/after-sale/")
    assert "Your cover is booked." in guest.get(answer["Location"]).content.decode()
    assert Quote.objects.get(status="CONFIRMED").price == AfterSaleOffer.objects.get().premium
    number = AfterSaleOffer.objects.get().order_reference
    assert guest.get(f"/orders/{number}/").status_code == 404
