"""The shop with dual payment: it charges the goods, and XCover charges the cover."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from example_shop.card import GOOD_CARD
from example_shop.models import Order
from tests.conftest import the_package, work
from tests.example_shop.conftest import CARD, Shopper

pytestmark = pytest.mark.django_db
TOKEN = "good-token"


@pytest.fixture
def order(settings: Any, insured: Shopper, xcover_sandbox: Sandbox) -> Order:
    """Return an order with cover, not paid yet."""
    settings.SHOP_DUAL_PAYMENT = True
    order = insured.orders()
    xcover_sandbox.xpay.add_token(TOKEN, order.email)
    xcover_sandbox.xpay.add_token("declined-token", order.email, is_declined=True)
    return order


def pays(shopper: Shopper, order: Order, token: str) -> Any:
    path = f"/orders/{order.number}/pay/"
    return shopper.client.post(path, {"customer_token_id": token}, follow=True)


@pytest.mark.parametrize("sent", [{}, CARD, {"customer_token_id": GOOD_CARD}])
def test_a_card_that_is_sent_to_the_shop_pays_nothing(
    insured: Shopper, order: Order, sent: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = insured.client.post(f"/orders/{order.number}/pay/", sent)

    assert response.status_code == 422
    assert 'role="alert"' in response.text
    assert "4242" not in response.text.replace("xpay", "") + caplog.text
    order.refresh_from_db()
    assert not order.is_paid


def test_only_a_card_can_pay(settings: Any, insured: Shopper, order: Order) -> None:
    insured.takes("lumen-14")
    form = {**insured.sees_the_checkout(), "payment": "invoice"}

    assert insured.sends(form).status_code == 422


def test_an_abandoned_payment_is_no_cover_and_no_charge_and_says_so(
    insured: Shopper, order: Order, xcover_sandbox: Sandbox
) -> None:
    work()
    page = insured.opens(f"/orders/{order.number}/").text

    assert "Until you pay, nothing is charged and you aren&#x27;t insured." in page or (
        "Until you pay, nothing is charged and you aren't insured." in page
    )
    assert "paid yet, so you aren" in page
    assert "data-cover-waits" not in page
    assert xcover_sandbox.xpay.charges == []
    assert xcover_sandbox.calls("create_booking") == []


def test_the_page_has_no_card_field_and_shows_both_payments(insured: Shopper, order: Order) -> None:
    page = insured.opens(f"/orders/{order.number}/pay/").text

    assert 'name="number"' not in page
    assert "/xpay/form" in page
    assert order.email not in page.partition("src=")[2].partition(">")[0]
    assert "XCover: your insurance" in page


def test_both_payments_are_made_and_the_cover_is_booked(
    insured: Shopper, order: Order, xcover_sandbox: Sandbox
) -> None:
    page = pays(insured, order, TOKEN)
    work()

    assert page.redirect_chain[-1][0] == order.get_absolute_url()
    order.refresh_from_db()
    assert order.is_paid
    (charge,) = xcover_sandbox.xpay.charges
    assert (charge.token, charge.amount) == (TOKEN, order.premium)
    assert the_package().status == "CONFIRMED"


def test_a_declined_card_keeps_the_order_and_asks_for_another(
    insured: Shopper, order: Order, xcover_sandbox: Sandbox
) -> None:
    pays(insured, order, "declined-token")
    work()
    page = insured.opens(order.get_absolute_url()).text
    order.refresh_from_db()
    assert order.is_paid
    assert "Please use another card." in page
    assert f'action="/orders/{order.number}/card/"' in page

    path = f"/orders/{order.number}/card/"
    insured.client.post(path, {"customer_token_id": TOKEN})
    work()

    page = insured.opens(order.get_absolute_url()).text
    assert "Your cover is booked." in page
    assert "/xpay/form" not in page
    assert [charge.token for charge in xcover_sandbox.xpay.charges] == [TOKEN]


def test_another_card_for_booked_cover_is_refused(insured: Shopper, order: Order) -> None:
    pays(insured, order, TOKEN)
    work()

    path = f"/orders/{order.number}/card/"
    page = insured.client.post(path, {"customer_token_id": "another"}, follow=True).text

    assert "How this cover is paid can no longer be changed." in page


def test_a_stranger_pays_for_nothing(insured: Shopper, order: Order) -> None:
    stranger = Shopper()

    for path in ("pay", "card"):
        url = f"/orders/{order.number}/{path}/"
        assert stranger.client.post(url, {"customer_token_id": TOKEN}).status_code == 404


def test_an_order_without_cover_is_paid_as_ever(settings: Any, shopper: Shopper) -> None:
    settings.SHOP_DUAL_PAYMENT = True
    order = shopper.orders()

    assert not order.dual_payment
    assert shopper.pays(order).status_code == 302
