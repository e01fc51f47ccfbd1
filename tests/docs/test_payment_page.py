"""The page about ways to pay does what it says, in the sentences of the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.cache import cache
from django.http import HttpRequest

from django_xcover.booking import dual_payment
from django_xcover.cover import order_cover
from django_xcover.exceptions import ActionRefused
from django_xcover.models import Hold, Operation
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package, work
from tests.docs.pages import DOCS, blocks, code_in, table
from tests.docs.shop import CUSTOMER, Cart, shown_to
from tests.docs.test_readme import answer

pytestmark = pytest.mark.django_db
PAGE = DOCS / "payment.md"
CARD = "4111 1111 1111 1111"
RequestWith = Callable[[Cart], HttpRequest]


@pytest.fixture
def page(myshop: dict[str, Any], xcover_sandbox: Sandbox) -> dict[str, Any]:
    """Return what the page defines, in the README's shop."""
    cache.clear()
    names: dict[str, Any] = {"__name__": "payment", "Order": myshop["Order"]}
    for block in blocks(PAGE):
        if block.language == "python":
            exec(block.code(), names)  # noqa: S102 - the page is what is tested
    return names


@pytest.fixture
def order(page: dict[str, Any], myshop: dict[str, Any], request_with: RequestWith) -> Any:
    """Return an order with cover, not paid yet."""
    cart = Cart()
    request = request_with(cart)
    answer(request, yes=True)
    return myshop["place_order"](shown_to(request), cart, CUSTOMER)


def test_every_refusal_of_a_token_is_documented_in_its_own_words() -> None:
    documented = {code_in(row[0])[0]: row[1] for row in table(PAGE, "| Refusal |")}

    assert documented == {
        name: str(value.message)
        for name, value in vars(dual_payment).items()
        if inspect.isclass(value)
        and issubclass(value, ActionRefused)
        and value is not ActionRefused
    }


def test_a_card_number_instead_of_a_token_is_refused_with_a_sentence(
    page: dict[str, Any], order: Any
) -> None:
    told = page["take_token"](order, CARD, order.email)

    assert told == "Please never send card numbers here. Nothing was saved."
    assert the_package().customer_token_id == ""


def test_a_token_goes_along_with_the_booking(
    page: dict[str, Any], order: Any, myshop: dict[str, Any]
) -> None:
    assert page["take_token"](order, "tok-1", order.email) == ""

    myshop["money_arrived"](order)

    assert Operation.objects.get().request["customer_token_id"] == "tok-1"


def test_a_price_is_shown_and_booked_at_once(
    page: dict[str, Any], myshop: dict[str, Any], xcover_sandbox: Sandbox
) -> None:
    order = myshop["Order"].objects.create(cart=Cart(), total=Cart().total, **CUSTOMER)

    page["paid_with_cover"](order, page["offer"])
    work()

    assert order.is_paid
    assert order_cover(order).state == "booked"
    assert xcover_sandbox.packages()[-1]["total_price"] == page["offer"].premium.amount


def test_a_price_that_was_not_taken_is_told(page: dict[str, Any], myshop: dict[str, Any]) -> None:
    order = myshop["Order"].objects.create(cart=Cart(), total=Cart().total)

    page["paid_without_cover"](order, page["offer"])
    work()

    assert the_package().status == "OPTED_OUT"


class Provider:
    """A payment provider: it keeps what it was started with, and hands it back."""

    def start(self, amount: Decimal, *, metadata: dict[str, str]) -> SimpleNamespace:
        return SimpleNamespace(amount=amount, metadata=metadata)


def test_who_pays_first_gets_the_cover_that_was_charged(
    page: dict[str, Any], request_with: RequestWith
) -> None:
    cart = Cart()
    request = request_with(cart)
    answer(request, yes=True)

    payment = page["start_payment"](shown_to(request), cart, Provider())
    order = page["payment_succeeded"](payment, cart, CUSTOMER)
    work()

    assert payment.amount == cart.total + the_package().total_price
    assert order_cover(order).state == "booked"


def test_a_payment_that_failed_releases_the_cover(
    page: dict[str, Any], request_with: RequestWith
) -> None:
    cart = Cart()
    request = request_with(cart)
    answer(request, yes=True)

    page["payment_failed"](page["start_payment"](shown_to(request), cart, Provider()))

    assert Hold.objects.get().state == Hold.State.RELEASED
