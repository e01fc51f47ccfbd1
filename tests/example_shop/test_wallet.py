"""Paying first: the wallet charges, then the order is made."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.adapters import get_adapter
from django_xcover.models import Hold, Operation, OperationKind, QuotePackage
from example_shop.models import Order, WalletPayment
from tests.example_shop.conftest import CAMERA, FESTIVAL, Shopper, last_message


def leaves_for_the_wallet(shopper: Shopper, **changes: str) -> WalletPayment:
    """Send the checkout form, and return the payment whose page it leads to."""
    form = {**shopper.sees_the_checkout(), "payment": "wallet", **changes}
    response = shopper.sends(form)
    assert response.status_code == 302
    payment = WalletPayment.objects.latest("pk")
    assert response["Location"] == payment.get_absolute_url()
    return payment


def approves(shopper: Shopper, payment: WalletPayment) -> Any:
    return shopper.client.post(f"{payment.get_absolute_url()}approve/")


def declines(shopper: Shopper, payment: WalletPayment) -> Any:
    return shopper.client.post(f"{payment.get_absolute_url()}decline/")


def test_a_total_that_was_not_shown_is_neither_held_nor_charged(insured: Shopper) -> None:
    form = {**insured.sees_the_checkout(), "payment": "wallet", "xcover_total": "GBP 1.00"}

    assert insured.sends(form).status_code == 409
    assert not WalletPayment.objects.exists()
    assert not Hold.objects.live().exists()


def test_a_payment_given_up_orders_nothing_and_the_shopper_can_choose_again(
    insured: Shopper,
) -> None:
    payment = leaves_for_the_wallet(insured)

    assert last_message(declines(insured, payment)) == (
        "You haven't paid, and nothing was ordered."
    )
    assert not Order.objects.exists()
    assert not Hold.objects.live().exists()
    insured.answers("no")
    assert insured.orders().premium is None


def test_a_payment_given_up_is_not_charged_after_all(insured: Shopper) -> None:
    payment = leaves_for_the_wallet(insured)
    declines(insured, payment)

    approves(insured, payment)

    payment.refresh_from_db()
    assert payment.paid_at is None
    assert not Order.objects.exists()


def test_what_was_charged_is_ordered_and_booked_although_the_cart_has_changed(
    insured: Shopper,
) -> None:
    payment = leaves_for_the_wallet(insured)
    insured.empties_the_cart_into(CAMERA)

    approves(insured, payment)

    order = Order.objects.get()
    assert order.is_paid
    assert (order.total, order.premium) == (payment.total, payment.premium)
    assert [line.product.slug for line in order.lines.all()] == [FESTIVAL]
    assert QuotePackage.objects.for_order(order.number).exists()


def test_a_shopper_who_comes_back_without_a_session_has_the_order(insured: Shopper) -> None:
    payment = leaves_for_the_wallet(insured)

    approves(Shopper(), payment)

    order = Order.objects.get()
    assert order.premium == payment.premium
    assert Operation.objects.get().kind == OperationKind.BOOK


def test_two_clicks_charge_and_order_once(insured: Shopper) -> None:
    payment = leaves_for_the_wallet(insured)

    pages = [approves(insured, payment) for _ in range(2)]

    order = Order.objects.get()
    assert [page["Location"] for page in pages] == [order.get_absolute_url()] * 2
    assert Operation.objects.count() == 1


def test_a_cart_ordered_by_card_meanwhile_gets_the_wallets_money_back(insured: Shopper) -> None:
    payment = leaves_for_the_wallet(insured)
    order = insured.orders()

    page = approves(insured, payment)

    payment.refresh_from_db()
    assert page["Location"] == order.get_absolute_url()
    assert payment.paid_at is None
    assert Order.objects.count() == 1


def test_the_shop_knows_which_holds_were_charged(insured: Shopper) -> None:
    payment = leaves_for_the_wallet(insured)
    assert get_adapter().was_charged(payment.hold) is False

    approves(insured, payment)

    assert get_adapter().was_charged(payment.hold) is True


@pytest.mark.usefixtures("goods")
def test_a_payment_that_is_not_known_is_not_found() -> None:
    assert Shopper().opens("/wallet/unknown/").status_code == 404


def test_without_cover_the_goods_alone_are_charged(shopper: Shopper) -> None:
    payment = leaves_for_the_wallet(shopper)

    page = shopper.opens(payment.get_absolute_url()).content.decode()
    approves(shopper, payment)

    assert "insurance" not in page
    assert Order.objects.get().premium is None
