"""What XCover is told about this shop's carts and orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import RequestFactory

from django_xcover.sandbox import Sandbox
from example_shop.cart import Cart
from example_shop.cover import ConcertShopAdapter
from example_shop.models import Product
from tests.example_shop.conftest import CAMERA, FESTIVAL, Shopper, product, typed


@pytest.fixture
def adapter() -> ConcertShopAdapter:
    return ConcertShopAdapter()


def test_a_request_without_a_cart_has_nothing_to_insure(
    adapter: ConcertShopAdapter, rf: RequestFactory
) -> None:
    assert adapter.get_cart(rf.get("/")) is None


@pytest.mark.django_db
def test_an_empty_cart_has_nothing_to_insure(
    adapter: ConcertShopAdapter, rf: RequestFactory
) -> None:
    request = rf.get("/")
    request.cart = Cart(Shopper().client.session)  # type: ignore[attr-defined]

    assert adapter.get_cart(request) is None


def test_a_cart_whose_only_event_has_passed_has_nothing_to_insure(
    adapter: ConcertShopAdapter, shopper: Shopper
) -> None:
    Product.objects.filter(slug=FESTIVAL).update(starts_at="2020-01-01T20:00:00Z")

    assert adapter.get_quote_request(the_cart(shopper)) is None


def test_tickets_are_described_as_xcover_wants_event_tickets(
    adapter: ConcertShopAdapter, shopper: Shopper
) -> None:
    request = adapter.get_quote_request(the_cart(shopper))

    assert request is not None
    (item,) = request.items
    assert (item.reference, item.label) == (FESTIVAL, "Harbour Lights Festival")
    assert item.policy_type == "event_ticket_protection"
    assert item.fields == {
        "event_datetime": product(FESTIVAL).starts_at,
        "event_name": "Harbour Lights Festival",
        "event_location": "Harbourside Arena, Bristol",
        "event_country": "GB",
        "number_of_tickets": 2,
        "tickets": [{"price": Decimal("60.00")}, {"price": Decimal("60.00")}],
        "resale_ticket": False,
    }


def test_devices_are_described_as_products(adapter: ConcertShopAdapter, shopper: Shopper) -> None:
    shopper.takes(CAMERA, 2)

    request = adapter.get_quote_request(the_cart(shopper))

    assert request is not None
    item = request.items[1]
    assert item.policy_type == "product_insurance"
    assert item.fields["price"] == Decimal("879.00")
    assert item.fields["quantity"] == 2


@pytest.mark.parametrize(
    ("country", "currency", "price"),
    [("GB", "GBP", "60.00"), ("DE", "EUR", "70.00"), ("JP", "JPY", "11500")],
)
def test_a_quote_is_asked_for_in_the_shoppers_own_currency(
    adapter: ConcertShopAdapter, shopper: Shopper, country: str, currency: str, price: str
) -> None:
    shopper.client.post("/preferences/", {"country": country})

    request = adapter.get_quote_request(the_cart(shopper))

    assert request is not None
    assert (request.customer_country, request.currency) == (country, currency)
    assert request.items[0].fields["tickets"] == [{"price": Decimal(price)}] * 2


@pytest.mark.parametrize("country", ["GB", "DE", "JP"])
def test_xcover_quotes_everything_the_shop_sells_in_every_country(
    xcover_sandbox: Sandbox, shopper: Shopper, country: str
) -> None:
    shopper.client.post("/preferences/", {"country": country})
    for item in Product.objects.exclude(slug=FESTIVAL):
        shopper.client.post(f"/cart/{item.slug}/add/", typed(item.slug))

    page = shopper.opens("/xcover/offer/page/?next=/checkout/")

    assert len(page.context["panels"]) == Product.objects.count()


def test_an_order_is_found_by_its_number_and_by_no_other(
    adapter: ConcertShopAdapter, shopper: Shopper
) -> None:
    order = shopper.orders()

    assert adapter.get_order(adapter.get_order_reference(order)) == order
    assert adapter.get_order("EN-NONE") is None


def test_the_policyholder_is_who_ordered(adapter: ConcertShopAdapter, shopper: Shopper) -> None:
    person = adapter.get_policyholder(shopper.orders())

    assert (person.first_name, person.last_name, person.country) == ("Robin", "Ellis", "GB")
    assert person.phone == "+442079460000"


@pytest.mark.parametrize(("payment", "later"), [("card", False), ("invoice", True)])
def test_an_invoice_is_cover_that_is_paid_later(
    adapter: ConcertShopAdapter, shopper: Shopper, payment: str, later: bool
) -> None:
    assert adapter.pays_later(shopper.orders(payment=payment)) is later


def the_cart(shopper: Shopper) -> Any:
    return shopper.opens("/cart/").context["cart"]
