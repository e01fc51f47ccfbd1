"""A headless shop passes on the token of a card, and reads what became of it."""

from __future__ import annotations

import logging

import pytest

from django_xcover.sandbox import Sandbox
from tests import completion
from tests.api.conftest import ROOT, Program
from tests.conftest import the_package, work
from tests.shop import ANA, SHOP, Adapter, Order

pytestmark = pytest.mark.django_db
PATH = "orders/ORD-1/cover/"
CARD = "4111 1111 1111 1111"


@pytest.fixture
def order(program: Program, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Order:
    """Return Ana's order with cover that XCover is to charge, not paid yet."""
    monkeypatch.setattr(Adapter, "charged_by_xcover", lambda self, order: True)
    sandbox.xpay.add_token("good-token", ANA.email)
    sandbox.xpay.add_token("declined-token", ANA.email, is_declined=True)
    program.shopper.says(yes=True)
    order = SHOP.order("ORD-1", owner="ana")
    completion.complete(order, program.shopper.cart, paid=False)
    return order


def test_a_card_number_is_refused(program: Program, order: Order) -> None:
    response = program.posts(PATH, customer_token_id=CARD)

    assert (response.status_code, response.json()["code"]) == (400, "card_number_sent")
    assert CARD not in response.text


@pytest.mark.parametrize("body", [{}, {"customer_token_id": ""}, {"customer_token_id": "x" * 201}])
def test_a_body_without_a_usable_token_is_refused(
    program: Program, order: Order, body: dict[str, str]
) -> None:
    assert program.posts(PATH, **body).status_code == 400


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"customer_token_id": "no token"}, "token_unreadable"),
        ({"customer_token_id": "good-token", "email": "Ana@example.com"}, "email_differs"),
    ],
)
def test_a_token_that_cannot_be_used_is_refused_and_not_repeated(
    program: Program, order: Order, body: dict[str, str], kind: str
) -> None:
    response = program.posts(PATH, **body)

    assert (response.status_code, response.json()["code"]) == (409, kind)
    assert body["customer_token_id"] not in response.text
    assert program.gets(PATH).json()["card"] == "wanted"


def test_cover_that_the_shop_charges_takes_no_card(
    program: Program, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Adapter, "charged_by_xcover", lambda self, order: False)

    response = program.posts(PATH, customer_token_id="good-token")

    assert (response.status_code, response.json()["code"]) == (409, "no_cover_to_pay")
    assert the_package().customer_token_id == ""


def test_the_order_of_somebody_else_takes_no_card(program: Program, order: Order) -> None:
    program.front.shopper = "bob"

    assert program.posts(PATH, customer_token_id="good-token").status_code == 404


def test_a_guest_without_a_csrf_token_is_refused(program: Program, order: Order) -> None:
    program.client.handler.enforce_csrf_checks = True

    response = program.posts(PATH, customer_token_id="good-token")

    assert response.status_code == 403


def test_a_declined_card_is_told_and_another_is_charged(
    program: Program, order: Order, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert program.posts(PATH, customer_token_id="declined-token").json()["card"] == "given"
        completion.complete(order, paid=True)
        work()
        assert program.gets(PATH).json()["card"] == "refused"

        response = program.posts(PATH, customer_token_id="good-token", email=ANA.email)
        work()

    assert (response.status_code, response.json()["card"]) == (200, "given")
    assert program.gets(PATH).json() | {"policies": []} == {
        "state": "booked",
        "policies": [],
        "card": "",
    }
    assert [charge.token for charge in sandbox.xpay.charges] == ["good-token"]
    assert "-token" not in caplog.text
    assert ROOT in response.wsgi_request.path


def test_an_order_without_cover_has_nothing_to_pay(program: Program) -> None:
    SHOP.order("ORD-1", owner="ana")

    response = program.posts(PATH, customer_token_id="good-token")

    assert response.json()["code"] == "no_cover_to_pay"
