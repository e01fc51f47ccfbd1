"""A shop with its goods, and shoppers in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.dispatch import Signal
from django.test import Client
from django.utils import timezone

from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_completed, payment_completed
from example_shop.card import GOOD_CARD
from example_shop.demo import data
from example_shop.demo.products import DEVICES, EVENTS
from example_shop.models import Order, Product

FESTIVAL = EVENTS[0]["slug"]
CAMERA = next(row["slug"] for row in DEVICES if row["category"] == "camera")
DETAILS = {
    "first_name": "Robin",
    "last_name": "Ellis",
    "email": "robin@example.com",
    "phone": "020 7946 0000",
    "address": "12 Quay Street",
    "postcode": "BS1 4RW",
    "city": "Bristol",
    "payment": "card",
}
CARD = {"name": "Robin Ellis", "number": GOOD_CARD, "expiry": "12/39", "code": "123"}


FLIGHT, STAY, PARCEL, FLAT = (
    "flight-to-lisbon",
    "casa-do-miradouro",
    "parcel-label",
    "flat-in-orchard-lane",
)
LAPTOP = "lumen-14"


def in_days(days: int) -> str:
    return (timezone.localdate() + timedelta(days=days)).isoformat()


def typed(slug: str, **changes: str) -> dict[str, str]:
    """Return what a shopper types on the product's page."""
    trip = {"starts": in_days(20), "ends": in_days(27), "adults": "2", "children": "1"}
    forms = {
        FESTIVAL: {"quantity": "2"},
        FLIGHT: trip,
        STAY: trip,
        PARCEL: {
            "contents": "A stoneware vase",
            "worth": "240",
            "to_country": "DE",
            "to_postcode": "10115",
            "ships": in_days(3),
        },
        FLAT: {"moves_in": in_days(10), "residents": "2", "contents": "18000"},
    }
    return {**forms.get(slug, {"quantity": "1"}), **changes}


class Shopper:
    """Somebody with a browser."""

    def __init__(self) -> None:
        self.client = Client()

    def opens(self, path: str) -> Any:
        return self.client.get(path)

    def takes(self, slug: str, quantity: int = 1) -> None:
        """Put something into the cart."""
        self.client.post(f"/cart/{slug}/add/", {"quantity": quantity})

    def empties_the_cart_into(self, slug: str) -> None:
        """Have one of a product in the cart and nothing else."""
        self.client.post(f"/cart/{FESTIVAL}/", {"quantity": "0"})
        self.takes(slug)

    def sees_the_checkout(self) -> dict[str, str]:
        """Return the form as the page would send it."""
        context = self.client.get("/checkout/").context
        return {
            "cart": context["cart"].reference,
            "seen": context["cart"].fingerprint,
            "xcover_total": str(context["summary"].total),
            **DETAILS,
        }

    def sends(self, form: dict[str, str]) -> Any:
        """Send the checkout form."""
        return self.client.post("/checkout/", form)

    def orders(self, **details: str) -> Order:
        """Place the order and return it."""
        form = {**self.sees_the_checkout(), **details}
        assert self.sends(form).status_code == 302
        return Order.objects.get(cart_reference=form["cart"])

    def pays(self, order: Order, **card: str) -> Any:
        return self.client.post(f"/orders/{order.number}/pay/", {**CARD, **card})

    def answers(self, choice: str, **more: str) -> None:
        """Look at the offer and say yes or no to all of it."""
        self.client.get("/xcover/offer/")
        page = self.client.get("/xcover/offer/page/?next=/checkout/")
        for panel in page.context["panels"]:
            form = {
                "quote": panel.quote.quote_id,
                "shown": panel.offer_hash,
                "choice": choice,
                **more,
            }
            assert self.client.post("/xcover/choose/", form).status_code == 303


@pytest.fixture
def goods(db: None) -> None:
    """Fill the shop."""
    data.fill()


@pytest.fixture
def shopper(goods: None) -> Shopper:
    """Return a guest with two festival tickets in the cart."""
    guest = Shopper()
    guest.takes(FESTIVAL, 2)
    return guest


@pytest.fixture
def robin(shopper: Shopper) -> Shopper:
    """Return the shopper after logging in."""
    shopper.client.login(username=data.SHOPPER.username, password=data.SHOPPER.password)
    shopper.takes(FESTIVAL, 2)
    return shopper


@pytest.fixture
def insured(xcover_sandbox: Sandbox, shopper: Shopper) -> Shopper:
    """Return the shopper after saying yes to the offer."""
    shopper.answers("yes")
    return shopper


@pytest.fixture
def placed() -> Iterator[list[Order]]:
    """Return the orders that `order_completed` told of."""
    yield from _told(order_completed)


@pytest.fixture
def paid() -> Iterator[list[Order]]:
    """Return the orders that `payment_completed` told of."""
    yield from _told(payment_completed)


def _told(signal: Signal) -> Iterator[list[Order]]:
    orders: list[Order] = []

    def receiver(order: Order, **kwargs: Any) -> None:
        orders.append(order)

    signal.connect(receiver)
    yield orders
    signal.disconnect(receiver)


def product(slug: str) -> Product:
    return Product.objects.get(slug=slug)


def last_message(response: Any) -> str:
    """Return the last thing that the page which follows tells the shopper."""
    follow = response.client.get(response.url) if response.status_code == 302 else response
    return [str(message) for message in follow.context["messages"]][-1]
