"""Cover after the sale as JSON, for headless shops."""

from __future__ import annotations

from typing import Any

import pytest

from tests.after_sale.conftest import Late, the_row
from tests.api.conftest import front
from tests.api.shopfront import urlpatterns
from tests.shop import laptop, ticket

__all__ = ["front", "urlpatterns"]
pytestmark = pytest.mark.django_db

OFFER = "/xcover/api/v1/orders/ORD-1/offer/"


@pytest.fixture(autouse=True)
def ana(late: Late) -> None:
    late.front.shopper = "ana"


def posts(late: Late, **body: Any) -> Any:
    return late.client.post(OFFER, body, content_type="application/json")


def test_another_shoppers_order_is_not_found(late: Late) -> None:
    late.orders()
    late.front.shopper = "bob"

    assert late.client.get(OFFER).status_code == 404
    assert posts(late, choice="no").status_code == 404


def test_an_order_without_an_offer_has_none(late: Late) -> None:
    assert late.client.get(OFFER).status_code == 204
    assert posts(late, choice="yes", shown="x").json()["code"] == "offer_changed"


def test_a_visitor_with_too_many_prices_is_asked_to_wait(late: Late, settings: Any) -> None:
    late.orders()
    settings.XCOVER = {**settings.XCOVER, "VISITOR_QUOTES": 0}

    response = late.client.get(OFFER)

    assert response.status_code == 429
    assert int(response["Retry-After"]) > 0


@pytest.mark.parametrize("body", [{}, {"choice": "maybe"}, {"choice": "yes", "quotes": []}])
def test_an_unreadable_answer_is_refused(late: Late, body: dict[str, Any]) -> None:
    late.orders()
    late.client.get(OFFER)

    assert posts(late, **body).json()["code"] == "invalid"


@pytest.mark.parametrize("shown", ["", "another"])
def test_a_yes_must_name_the_offer_that_was_shown(late: Late, shown: str) -> None:
    late.orders()
    late.client.get(OFFER)

    response = posts(late, choice="yes", shown=shown)

    assert (response.status_code, response.json()["code"]) == (409, "offer_changed")
    assert the_row().choice == ""


def test_a_yes_after_the_order_was_cancelled_is_refused(late: Late) -> None:
    late.orders()
    offer = late.client.get(OFFER).json()
    late.cancels()

    assert posts(late, choice="yes", shown=offer["shown"]).json()["code"] == "after_sale_over"


def test_a_yes_makes_its_price_due(late: Late) -> None:
    late.orders()
    offer = late.client.get(OFFER).json()
    [quote] = offer["quotes"]
    assert (offer["choice"], offer["premium"], offer["due"]) == ("", None, None)
    assert quote["label"] == "Harbour Lights Festival"
    assert quote["pds_url"]
    assert quote["quote_id"]

    answered = posts(late, choice="yes", shown=offer["shown"]).json()

    assert answered["choice"] == "accepted"
    assert answered["due"]["amount"] == answered["premium"] == quote["price"]
    assert answered["due"]["payment_url"] == f"/pay/after_sale/{answered['due']['reference']}/"


def test_a_yes_to_one_of_several_makes_only_that_due(late: Late) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(ticket(), laptop()))
    late.shopper.sees()
    late.orders(yes=None)
    offer = late.client.get(OFFER).json()
    second = offer["quotes"][1]

    answered = posts(late, choice="yes", shown=offer["shown"], quotes=[second["quote_id"]]).json()

    assert answered["premium"] == second["price"]


def test_after_a_no_there_is_no_offer(late: Late) -> None:
    late.orders()
    late.client.get(OFFER)

    assert posts(late, choice="no").json()["choice"] == "declined"
    assert late.client.get(OFFER).status_code == 204
