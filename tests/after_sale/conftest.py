"""A shopper whose order was completed without cover, in front of its page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from django.test import Client, RequestFactory

from django_xcover import payments
from django_xcover.models import AfterSaleOffer
from django_xcover.offers import after_sale, after_sale_links, after_sale_quotes
from django_xcover.offers.after_sale import LateOffer
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled, order_completed, payment_completed
from django_xcover.types import Due, QuoteRequest
from tests.account.conftest import front
from tests.checkout.page import Page
from tests.checkout.shopfront import Front
from tests.conftest import Shopper, work
from tests.shop import SHOP, Adapter, Order

__all__ = ["front"]

DAYS = 7


class PayingAdapter(Adapter):
    """The smallest shop, with a page for payments."""

    # What the shop says is left to insure: by default what was quoted at the checkout.
    wanted: Any = staticmethod(lambda quoted: quoted)
    paid: bool | None = None

    def get_payment_url(self, request: HttpRequest, due: Due) -> str:
        return f"/pay/{due.kind}/{due.reference}/"

    def get_order_quote_request(
        self, order: Order, quoted: QuoteRequest | None
    ) -> QuoteRequest | None:
        wanted: QuoteRequest | None = self.wanted(quoted)
        return wanted

    def is_paid(self, order: Order) -> bool | None:
        return self.paid


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


class Late:
    """The order, its offer, and what the shopper, the shop and its workers do."""

    def __init__(self, shopper: Shopper, front: Front) -> None:
        self.shopper = shopper
        self.front = front
        self.client = Client()
        self.request = RequestFactory().get("/orders/ORD-1/")
        self.order = SHOP.order()

    @property
    def path(self) -> str:
        return after_sale_links.path(self.order.reference)

    def orders(self, *, yes: bool | None = False) -> None:
        """Complete and pay the order after this answer, or without any offer."""
        if yes is not None:
            self.shopper.says(yes=yes)
        with transaction.atomic():
            order_completed.send(sender=Order, order=self.order, cart=self.shopper.cart)
            payment_completed.send(sender=Order, order=self.order)
        work()

    def cancels(self, *lines: str) -> None:
        with transaction.atomic():
            order_cancelled.send(sender=Order, order=self.order, lines=lines or None)

    def sees(self) -> LateOffer | None:
        """Let the page ask for the offer."""
        return after_sale_quotes.look(self.request, self.order).late

    def accepts(self, *, shown: str | None = None, lines: list[str] | None = None) -> Due:
        """Say yes to what is offered, or to what was `shown`; return what is due."""
        late = self.sees() if shown is None else None
        hashed = late.shown if late else shown or ""
        row = after_sale.accept("ORD-1", lines, shown=hashed, template_version="test")
        due = payments.of_after_sale(row)
        assert due is not None
        return due

    def pays(self, due: Due) -> None:
        """Let the shop record the payment, and a worker book."""
        with transaction.atomic():
            payments.record_payment(due, reference="pay-1")
        work()

    def opens(self, path: str = "", **options: Any) -> Page:
        return Page(self.client.get(path or self.path, **options).content)

    def posts(self, **fields: Any) -> Any:
        return self.client.post(self.path, fields)


@pytest.fixture
def late(shopper: Shopper, front: Front, sandbox: Sandbox, settings: Any) -> Iterator[Late]:
    """Return an order of two festival tickets, completed without cover."""
    settings.XCOVER = {
        **settings.XCOVER,
        "ADAPTER": "tests.after_sale.conftest.PayingAdapter",
        "AFTER_SALE_DAYS": DAYS,
    }
    late = Late(shopper, front)
    yield late
    PayingAdapter.wanted = staticmethod(lambda quoted: quoted)
    PayingAdapter.paid = None


def the_row() -> AfterSaleOffer:
    """Return the only offer after the sale that there is."""
    return AfterSaleOffer.objects.get()


def booked(sandbox: Sandbox) -> int:
    """Return how many bookings XCover holds."""
    return sum(package["status"] == "CONFIRMED" for package in sandbox.packages())
