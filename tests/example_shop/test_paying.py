"""Paying an order, and not paying it."""

from __future__ import annotations

import pytest
from django.test import Client

from django_xcover.models import Operation
from django_xcover.signals import payment_completed
from example_shop import orders
from example_shop.card import DECLINED_CARD
from example_shop.demo import data
from example_shop.models import Order
from tests.example_shop.conftest import Shopper, last_message

PAID_BEFORE = "This order is already paid. You weren't charged again."
DECLINED = "Your bank declined this card. Nothing was charged. Try another one."


def test_a_declined_card_leaves_the_order_open_and_says_so(
    shopper: Shopper, paid: list[Order]
) -> None:
    order = shopper.orders()

    response = shopper.pays(order, number=DECLINED_CARD)

    order.refresh_from_db()
    assert response.status_code == 422
    assert DECLINED in response.content.decode()
    assert not order.is_paid
    assert paid == []


def test_another_card_works_after_a_declined_one(shopper: Shopper, paid: list[Order]) -> None:
    order = shopper.orders()
    shopper.pays(order, number=DECLINED_CARD)

    shopper.pays(order)

    assert paid == [order]


@pytest.mark.parametrize(
    ("field", "value"),
    [("number", "4242 4242 4242 4243"), ("number", "card"), ("expiry", "13/30"), ("code", "12")],
)
def test_a_card_that_cannot_be_right_is_not_charged(
    shopper: Shopper, paid: list[Order], field: str, value: str
) -> None:
    response = shopper.pays(shopper.orders(), **{field: value})

    assert list(response.context["form"].errors) == [field]
    assert paid == []


def test_paying_twice_is_one_payment(shopper: Shopper, paid: list[Order]) -> None:
    order = shopper.orders()

    first = last_message(shopper.pays(order))
    second = last_message(shopper.pays(order))

    assert (first, second) == ("Thank you. Your payment has arrived.", PAID_BEFORE)
    assert paid == [order]


def test_of_two_simultaneous_payments_one_counts(shopper: Shopper, paid: list[Order]) -> None:
    order = shopper.orders()
    one, two = (Order.objects.get(pk=order.pk) for _ in range(2))  # both unpaid when read

    assert [orders.pay(one), orders.pay(two)] == [True, False]
    assert paid == [order]


def test_a_receiver_that_fails_leaves_the_order_unpaid(
    shopper: Shopper, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**kwargs: object) -> None:
        raise RuntimeError("the database went away")

    order = shopper.orders()
    monkeypatch.setattr(payment_completed, "send", fail)

    with pytest.raises(RuntimeError):
        orders.pay(order)

    order.refresh_from_db()
    assert not order.is_paid


def test_nobody_says_of_a_card_order_that_a_transfer_arrived(
    shopper: Shopper, paid: list[Order]
) -> None:
    order = shopper.orders(payment="card")

    assert shopper.client.post(f"/orders/{order.number}/transfer/").status_code == 404
    assert paid == []


def test_an_invoice_is_placed_unpaid_and_paid_when_the_transfer_arrives(
    insured: Shopper, paid: list[Order]
) -> None:
    order = insured.orders(payment="invoice")
    kinds_before = list(Operation.objects.values_list("kind", flat=True))

    insured.client.post(f"/orders/{order.number}/transfer/")

    assert kinds_before == ["book"]  # now, to be confirmed when the money comes
    assert paid == [order]


def test_a_paid_card_order_is_booked(insured: Shopper) -> None:
    order = insured.orders()

    insured.pays(order)

    assert Operation.objects.get().kind == "book"


def test_staff_record_the_money_of_an_invoice_once(shopper: Shopper, paid: list[Order]) -> None:
    order = shopper.orders(payment="invoice")
    staff = Client()
    staff.login(username=data.STAFF.username, password=data.STAFF.password)
    action = {"action": "mark_paid", "_selected_action": [order.pk]}

    for _ in range(2):
        assert staff.post("/admin/example_shop/order/", action).status_code == 302

    assert paid == [order]


def test_staff_read_an_order_in_the_admin(shopper: Shopper) -> None:
    order = shopper.orders()
    staff = Client()
    staff.login(username=data.STAFF.username, password=data.STAFF.password)

    response = staff.get(f"/admin/example_shop/order/{order.pk}/change/")

    assert order.number in response.content.decode()
