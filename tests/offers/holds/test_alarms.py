"""What was frozen and ends neither in an order nor in a release ends in an alarm."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import transaction

from django_xcover.exceptions import BeingPaid
from django_xcover.models import (
    Attention,
    Discrepancy,
    Hold,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
)
from django_xcover.offers import holds
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_completed, payment_completed
from django_xcover.sync import reconciliation
from tests.conftest import Shopper, the_operation, the_package, work
from tests.offers.holds.support import Freeze, booked, critical, expired, ordered
from tests.shop import Adapter, Cart, Order, Shop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.mark.parametrize("another", [None, Cart(reference="cart-after-login")])
def test_an_order_that_does_not_say_what_was_frozen_for_it_is_not_silent(
    shopper: Shopper,
    shop: Shop,
    freeze: Freeze,
    caplog: pytest.LogCaptureFixture,
    another: Cart | None,
) -> None:
    shopper.says(yes=True)
    with transaction.atomic():
        charged = freeze(shopper.cart)
        order_completed.send(sender=Order, order=shop.order(), cart=another)

    assert "cover of order ORD-1" in critical(caplog)
    with expired():
        (late,) = holds.sweep()
        assert the_package().attention == Attention.HELD_WITHOUT_ORDER
        assert late.reference == charged.hold
        assert holds.sweep() == [], "a person was alerted once"

        ordered(shop.orders["ORD-1"], hold=charged.hold)
        assert charged.premium
        assert booked() == [charged.premium.amount]
    assert the_package().attention == ""


def test_a_payment_alone_is_not_silent(
    shopper: Shopper, shop: Shop, freeze: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    freeze(shopper.cart)

    payment_completed.send(sender=Order, order=shop.order())

    assert "cover of order ORD-1" in critical(caplog)


def test_an_order_completed_before_its_cover_was_frozen_is_not_free_in_silence(
    shopper: Shopper, shop: Shop, freeze: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    with transaction.atomic():
        order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
        assert freeze(shopper.cart).premium is None

    assert "Order ORD-1" in critical(caplog)
    assert the_package().attention == Attention.NOT_CHARGED


def test_a_second_order_that_was_charged_for_the_same_cover_is_not_silent(
    shopper: Shopper, shop: Shop, hold: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    first, second = hold(shopper.cart), hold(shopper.cart)
    ordered(shop.order("ORD-1"), hold=first.hold)

    ordered(shop.order("ORD-2"), hold=second.hold)

    assert "Order ORD-2 was charged" in critical(caplog)
    assert the_package().attention == Attention.CHARGED_WITHOUT_COVER
    assert len(booked()) == 1


def test_a_cart_ordered_twice_under_one_hold_is_not_silent(
    shopper: Shopper, shop: Shop, hold: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    hold(shopper.cart)
    ordered(shop.order("ORD-1"), shopper.cart)

    ordered(shop.order("ORD-2"), shopper.cart)

    assert "Order ORD-2 was charged" in critical(caplog)
    assert len(booked()) == 1


def test_an_order_that_names_a_second_hold_besides_its_own_is_not_silent(
    shopper: Shopper, shop: Shop, hold: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=False)
    ordered(shop.order(), hold=hold(shopper.cart).hold)
    shopper.cart = Cart(reference="cart-2")
    shopper.says(yes=True)
    charged = hold(shopper.cart)

    ordered(shop.orders["ORD-1"], hold=charged.hold)

    assert critical(caplog).count("Order ORD-1 was charged") == 1, "told again, once"
    assert Hold.objects.get(reference=charged.hold).state == Hold.State.NOT_COVERED
    assert QuotePackage.objects.latest("pk").attention == Attention.CHARGED_WITHOUT_COVER


def test_an_order_that_names_the_hold_of_its_second_try_was_charged_once(
    shopper: Shopper, shop: Shop, hold: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    first, second = hold(shopper.cart), hold(shopper.cart)
    ordered(shop.order(), hold=first.hold)

    ordered(shop.orders["ORD-1"], hold=second.hold)

    assert critical(caplog) == ""
    assert not Hold.objects.unresolved().exists()
    assert len(booked()) == 1


@pytest.mark.parametrize("change", [{"price": Decimal("9.99")}, {"status": "DELETED"}])
def test_what_can_no_longer_be_booked_as_it_was_charged_is_for_a_person(
    shopper: Shopper,
    shop: Shop,
    hold: Freeze,
    caplog: pytest.LogCaptureFixture,
    change: dict[str, Any],
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)
    Quote.objects.update(**change)

    ordered(shop.order(), hold=charged.hold)

    assert "Order ORD-1 was charged" in critical(caplog)
    assert the_package().attention == Attention.CHARGED_WITHOUT_COVER
    assert not Operation.objects.exists()


def test_a_hold_that_nobody_knows_is_not_silent(
    shopper: Shopper, shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    ordered(shop.order(), hold="unknown")

    assert "Order ORD-1 names a hold that is not known" in critical(caplog)


@pytest.mark.parametrize("premium", [None, Decimal(0)], ids=["no cover", "free cover"])
def test_an_expired_hold_without_a_premium_is_over_without_an_alarm(
    shopper: Shopper,
    hold: Freeze,
    caplog: pytest.LogCaptureFixture,
    premium: Decimal | None,
) -> None:
    shopper.says(yes=premium is not None)
    hold(shopper.cart)
    Hold.objects.update(amount=premium)

    with expired():
        assert holds.sweep() == []
    assert not Hold.objects.unresolved().exists()
    assert the_package().held_until is None
    assert the_package().attention == ""
    assert critical(caplog) == ""


@pytest.mark.parametrize(
    ("said", "alerted"), [(False, False), (True, True), (None, True), (ValueError(), True)]
)
def test_the_shop_is_asked_whether_a_premium_was_charged_before_a_person_is_alerted(
    shopper: Shopper,
    hold: Freeze,
    monkeypatch: pytest.MonkeyPatch,
    said: Any,
    alerted: bool,
) -> None:
    def was_charged(self: Adapter, reference: str) -> bool | None:
        if isinstance(said, Exception):
            raise said
        return said if reference == charged.hold else None

    monkeypatch.setattr(Adapter, "was_charged", was_charged)
    shopper.says(yes=True)
    charged = hold(shopper.cart)

    with expired():
        assert bool(holds.sweep()) == alerted
    assert bool(the_package().attention) == alerted


def test_an_order_that_comes_after_a_hold_without_a_premium_is_over_is_no_alarm(
    shopper: Shopper, shop: Shop, hold: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=False)
    hold(shopper.cart)

    with expired():
        holds.sweep()
        ordered(shop.order(), shopper.cart)

    assert critical(caplog) == ""


def test_a_premium_held_for_longer_is_not_missed_before(shopper: Shopper, hold: Freeze) -> None:
    shopper.says(yes=True)
    hold(shopper.cart, lifetime=timedelta(hours=3))

    with expired():
        assert holds.sweep() == []
        with pytest.raises(BeingPaid):
            shopper.says(yes=False)


def test_what_may_have_been_charged_stays_bookable_after_the_hold_has_expired(
    shopper: Shopper, hold: Freeze, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    hold(shopper.cart)

    with expired():
        shopper.cart = shopper.cart.but(items=(ticket(count=3),))
        shopper.sees()

    assert sandbox.calls("update_quote") == []
    assert QuotePackage.objects.count() == 2


def test_the_operation_of_an_order_that_came_late_is_a_booking(
    shopper: Shopper, shop: Shop, hold: Freeze
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)
    with expired():
        holds.sweep()
        ordered(shop.order(), hold=charged.hold)

    assert the_operation().kind == OperationKind.BOOK


def test_reconciliation_lists_a_premium_without_an_order_as_paid_and_not_covered(
    shopper: Shopper, shop: Shop, hold: Freeze
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)
    assert charged.premium

    with expired():
        reconciliation.reconcile("default")
        assert not Discrepancy.objects.exists(), "it may still be on its way"
        holds.sweep()
        reconciliation.reconcile("default")
        found = Discrepancy.objects.get()
        assert found.kind == Discrepancy.Kind.NOT_COVERED
        assert (found.ours, found.currency) == (charged.premium.amount, charged.premium.currency)

        ordered(shop.order(), hold=charged.hold)
        work()
        reconciliation.reconcile("default")
        assert Discrepancy.objects.get().state == Discrepancy.State.GONE
