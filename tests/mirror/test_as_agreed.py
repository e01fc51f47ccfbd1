"""Nobody is charged, insured or booked otherwise than was shown, and what is paid is confirmed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest

from django_xcover.booking import instant_booking
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import package_from_wire
from django_xcover.cover import book_instantly, freeze_cover
from django_xcover.mirror import packages, refresh
from django_xcover.models import Attention, Choice, Decision, Operation, OperationKind, Quote
from django_xcover.offers import quoting
from django_xcover.offers.carts import read_cart
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled, order_completed, payment_completed
from django_xcover.types import QuoteRequest
from tests.conftest import ReadCart, Shopper, the_package, work
from tests.shop import Adapter, Cart, Order, Shop, laptop, ticket

pytestmark = pytest.mark.django_db
RequestFor = Callable[[Cart | None], HttpRequest]
Bend = Callable[..., None]


@pytest.fixture
def bend(monkeypatch: pytest.MonkeyPatch) -> Bend:
    """Return what changes top-level fields of the answers to one call."""

    def bend_answers(call: str, **facts: Any) -> None:
        honest = getattr(XCoverClient, call)

        def bent(*args: Any, **options: Any) -> Any:
            answer = honest(*args, **options)
            answer.update(facts)
            return answer

        monkeypatch.setattr(XCoverClient, call, bent)

    return bend_answers


def is_paid(monkeypatch: pytest.MonkeyPatch, answer: Callable[[Order], bool | None]) -> None:
    monkeypatch.setattr(Adapter, "is_paid", lambda self, order: answer(order), raising=False)


# Currencies


def test_a_quote_in_another_currency_than_the_carts_is_not_offered(
    sandbox: Sandbox, read: ReadCart, bend: Bend
) -> None:
    bend("create_quote", currency="AUD")

    assert quoting.fresh_offer(read(Cart())) is None
    assert not Quote.objects.exists()


def test_a_changed_quote_in_another_currency_is_not_offered(
    shopper: Shopper, read: ReadCart, bend: Bend
) -> None:
    shopper.says(yes=True)
    bend("update_quote", currency="AUD")
    offer = quoting.fresh_offer(read(shopper.cart.but(items=(ticket(count=3),))))

    assert offer is None or offer.currency == "GBP"


def test_a_price_in_another_currency_is_not_shown(sandbox: Sandbox, bend: Bend) -> None:
    bend("fast_quote", currency="AUD")
    request = QuoteRequest(
        currency="GBP", customer_country="GB", customer_language="en", items=(laptop(),)
    )

    assert instant_booking.price(request) is None


def test_a_booking_in_another_currency_is_brought_before_a_person(
    shopper: Shopper, shop: Shop, bend: Bend
) -> None:
    shopper.says(yes=True)
    payment_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    bend("create_booking", currency="AUD")
    work()

    assert the_package().attention == Attention.PRICE_DIFFERS


# Prices


def test_a_yes_to_a_price_that_moved_before_the_order_is_not_charged(
    shopper: Shopper, request_for: RequestFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    honest = XCoverClient.get_quote

    def dearer(*args: Any, **options: Any) -> Any:
        answer = honest(*args, **options)
        answer["quotes"]["0"]["price"] += Decimal(5)
        return answer

    monkeypatch.setattr(XCoverClient, "get_quote", dearer)
    refresh.refresh(the_package())

    assert freeze_cover(request_for(shopper.cart)).premium is None
    assert Decision.objects.latest("pk").choice == Choice.LAPSED


# Signals and payments


def test_an_order_that_is_paid_before_it_is_complete_is_booked(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    is_paid(monkeypatch, lambda order: True)

    payment_completed.send(sender=Order, order=order)
    order_completed.send(sender=Order, order=order, cart=shopper.cart)
    work()

    assert the_package().status == "CONFIRMED"


@pytest.mark.parametrize("known", [None, False])
def test_an_order_that_is_not_known_to_be_paid_is_not_booked(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch, known: bool | None
) -> None:
    shopper.says(yes=True)
    is_paid(monkeypatch, lambda order: known)

    order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)

    assert not Operation.objects.exists()


def test_a_shop_that_cannot_say_whether_an_order_is_paid_keeps_its_cover(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(order: Order) -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")
        return True

    shopper.says(yes=True)
    order = shop.order()
    is_paid(monkeypatch, fail)
    order_completed.send(sender=Order, order=order, cart=shopper.cart)
    payment_completed.send(sender=Order, order=order)

    assert Operation.objects.get().kind == OperationKind.BOOK


def test_a_paid_booking_that_xcover_holds_as_unpaid_is_confirmed(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    payment_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    honest = XCoverClient.create_booking

    def pending(self: XCoverClient, package_id: str, payload: Any, **options: Any) -> Any:
        held = {**payload, "require_payment_confirmation": True}
        return honest(self, package_id, held, **options)

    monkeypatch.setattr(XCoverClient, "create_booking", pending)
    work()
    work()

    assert the_package().status == "CONFIRMED"


# What fits into no column


def test_a_long_label_costs_its_end_and_not_the_offer(sandbox: Sandbox, read: ReadCart) -> None:
    item = ticket()
    item = type(item)(
        reference=item.reference,
        label="Harbour Lights " * 40,
        policy_type=item.policy_type,
        fields=item.fields,
    )

    assert quoting.fresh_offer(read(Cart(items=(item,)))) is not None
    assert len(Quote.objects.get().label) <= 200


@pytest.mark.parametrize(
    "cart",
    [
        Cart(reference="c" * 101),
        Cart(language="ca-es-valencia"),
        Cart(currency="POUND"),
        Cart(country="GBR"),
    ],
)
def test_what_cannot_be_stored_is_not_asked_for(
    sandbox: Sandbox, request_for: RequestFor, cart: Cart
) -> None:
    assert freeze_cover(request_for(cart)).premium is None
    assert read_cart(request_for(cart)) is None
    assert sandbox.calls("create_quote") == []


# A line of an instant booking that is returned before it is booked


@pytest.mark.parametrize("returned", ["laptop", "tickets"])
def test_a_line_returned_before_its_instant_booking_is_left_out_of_it(
    sandbox: Sandbox, shop: Shop, returned: str
) -> None:
    cache.clear()
    request = QuoteRequest(
        currency="GBP",
        customer_country="GB",
        customer_language="en",
        items=(laptop(), ticket("tickets")),
    )
    offer = instant_booking.price(request)
    assert offer is not None
    order = shop.order()
    book_instantly(order, request, agreed=offer.prices)

    order_cancelled.send(sender=Order, order=order, lines=[returned])
    work()

    statuses = dict(Quote.objects.values_list("line_reference", "status"))
    kept = {"laptop": "tickets", "tickets": "laptop"}[returned]
    assert statuses == {returned: "RECEIVED", kept: "CONFIRMED"}
    assert len(sandbox.packages()[0]["quotes"]) == 1
    cache.clear()


def test_a_price_below_zero_is_not_offered(
    sandbox: Sandbox, read: ReadCart, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = XCoverClient.create_quote

    def below(*args: Any, **options: Any) -> Any:
        answer = honest(*args, **options)
        answer["quotes"]["0"]["price"] = Decimal(-1)
        return answer

    monkeypatch.setattr(XCoverClient, "create_quote", below)

    assert quoting.fresh_offer(read(Cart())) is None


def test_a_price_of_more_decimals_than_are_kept_has_not_moved_when_it_is_read_again(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    order_completed.send(sender=Shop, order=shop.order(), cart=shopper.cart)
    payment_completed.send(sender=Shop, order=shop.order())
    work()
    package, policy = the_package(), Quote.objects.get()
    told = {**package.payload, "total_price": "7.891234"}
    told["quotes"] = [{**policy.payload, "status": "CONFIRMED", "price": "7.891234"}]
    answer = package_from_wire(told)
    Quote.objects.update(price=answer.quotes[0].price, chosen_price=answer.quotes[0].price)

    packages.apply_answer(package, answer)

    assert the_package().attention == ""
    assert Quote.objects.get().price == Decimal("7.8912")
