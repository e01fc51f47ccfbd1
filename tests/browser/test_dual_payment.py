"""Dual payment in a browser: the card is typed into XPay's frame, and the shop gets a token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import FrameLocator, Page, Request, expect

from django_xcover.sandbox import Sandbox
from example_shop.models import Order
from tests.browser.conftest import Customer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REFUSED, DECLINED, GOOD = "4000 0000 0000 0002", "4000 0000 0000 0341", "4242 4242 4242 4242"


@pytest.fixture
def buyer(settings: Any, customer: Callable[..., Customer], xcover: Sandbox) -> Customer:
    """Return a customer with an order that has cover, on its payment page."""
    base = urlsplit(settings.XCOVER["ACCOUNTS"]["default"]["BASE_URL"])
    settings.SHOP_DUAL_PAYMENT = True
    settings.SHOP_XPAY_FORM = f"{base.scheme}://{base.netloc}/xpay/form"
    buyer = customer()
    buyer.puts_in_cart("harbour-lights-festival")
    buyer.goes_to("/checkout/")
    buyer.fills_in_details()
    buyer.answers("Protect", yes=True)
    buyer.places_order()
    return buyer


def frame_of(page: Page) -> FrameLocator:
    return page.frame_locator("iframe[data-xpay]")


def types(page: Page, number: str) -> None:
    """Type a card into the frame and press its button."""
    frame = frame_of(page)
    frame.get_by_label("Name on card").fill("Ana Rossi")
    frame.get_by_label("Card number").fill(number)
    frame.get_by_label("Expires").fill("12/39")
    frame.get_by_label("Security code").fill("123")
    frame.get_by_role("button", name="Pay £").click()


def test_cards_are_refused_declined_and_charged_and_the_shop_sees_none(
    buyer: Customer, xcover: Sandbox, worker: Callable[[], None]
) -> None:
    sent: list[Request] = []
    buyer.page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - it gets an attribute

    types(buyer.page, REFUSED)
    expect(frame_of(buyer.page).get_by_role("alert").filter(has_text="declined")).to_be_visible()
    expect(frame_of(buyer.page).get_by_label("Card number")).to_be_focused()
    assert not Order.objects.get().is_paid

    types(buyer.page, DECLINED)
    buyer.is_told("Thank you. Your payment has arrived.")
    worker()
    buyer.is_told("Please use another card.")
    assert xcover.xpay.charges == []

    types(buyer.page, GOOD)
    buyer.is_told("Your insurance is being paid with this card.")
    worker()
    buyer.is_told("Your cover is booked.")

    assert [charge.amount for charge in xcover.xpay.charges] == [Order.objects.get().premium]
    to_shop = [one for one in sent if "/xpay/" not in one.url]
    texts = [f"{one.url} {one.post_data}" for one in to_shop]
    assert not [text for text in texts if "4242" in text.replace(" ", "").replace("+", "")]
    assert not [one.url for one in sent if "token" in urlsplit(one.url).query]


def test_another_window_is_no_card_form(buyer: Customer) -> None:
    frame_of(buyer.page).get_by_role("button", name="Pay £").wait_for()
    buyer.page.evaluate("postMessage({ xpay: 'token', id: 'forged' }, '*')")
    buyer.page.evaluate(
        """const other = document.body.appendChild(document.createElement("iframe"));
        other.contentWindow.parent.postMessage({ xpay: "token", id: "forged" }, "*");"""
    )

    assert buyer.page.locator("[name=customer_token_id]").input_value() == ""
    assert buyer.page.url.endswith("/pay/")


def test_without_xpay_the_page_says_so_and_the_order_waits(buyer: Customer) -> None:
    buyer.page.route("**/xpay/**", lambda route: route.abort())
    buyer.page.reload()

    buyer.is_told("The card form comes from XPay")
    buyer.page.get_by_role("link", name="Pay later, see the order").click()
    buyer.is_told("Until you pay, nothing is charged and you aren't insured.")
