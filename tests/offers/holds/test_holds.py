"""What was frozen ends in an order or a release, and nothing changes it on the way."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.cover import hold_cover, release_cover
from django_xcover.exceptions import BeingPaid
from django_xcover.mirror import refresh
from django_xcover.models import (
    Attention,
    Choice,
    Decision,
    Flag,
    Hold,
    Operation,
    Quote,
    QuotePackage,
)
from django_xcover.offers import holds
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_completed, payment_completed
from django_xcover.testing.factories import HoldFactory
from tests.conftest import Shopper, the_package
from tests.offers.holds.support import Freeze, booked, critical, expired, ordered
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
# Line by line: a cart that was frozen without cover stays without


def test_a_yes_to_what_was_quoted_after_the_freeze_is_not_booked(
    shopper: Shopper, shop: Shop, freeze: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.atomic():
        assert freeze(shopper.cart).premium is None
        offered = shopper.sees()
        # Another request, which cannot see what this transaction has frozen.
        Quote.objects.update(choice=Choice.ACCEPTED, chosen_price=offered.quotes[0].price.amount)
        order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    payment_completed.send(sender=Order, order=shop.orders["ORD-1"])

    assert booked() == []
    assert the_package().order_reference == ""
    assert Decision.objects.latest("pk").choice == Choice.LAPSED
    assert "ORD-1 was frozen before package" in caplog.text


def test_a_cart_frozen_before_it_was_quoted_takes_no_answers(
    shopper: Shopper, hold: Freeze
) -> None:
    hold(shopper.cart)

    with pytest.raises(BeingPaid):
        shopper.says(yes=True)


def test_a_payment_for_an_order_that_was_frozen_without_cover_is_nothing_to_wonder_at(
    shopper: Shopper, shop: Shop, freeze: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    with transaction.atomic():
        freeze(shopper.cart)
        order_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    HoldFactory.create(without_cover=True, expired=True, amount=7, currency="GBP")
    payment_completed.send(sender=Order, order=shop.orders["ORD-1"])

    assert critical(caplog) == ""


# What is being paid for does not change


@pytest.mark.parametrize("yes", [True, False])
def test_an_answer_cannot_change_while_the_order_is_being_paid(
    shopper: Shopper, shop: Shop, hold: Freeze, yes: bool
) -> None:
    shopper.says(yes=yes)
    charged = hold(shopper.cart).premium

    with pytest.raises(BeingPaid, match="being paid"):
        shopper.says(yes=not yes)
    ordered(shop.order(), shopper.cart)

    assert booked() == ([charged.amount] if charged else [])


@pytest.mark.parametrize("yes", [True, False])
def test_a_freeze_that_was_committed_without_its_order_holds_as_well(
    shopper: Shopper, freeze: Freeze, yes: bool
) -> None:
    shopper.says(yes=yes)
    freeze(shopper.cart)

    with pytest.raises(BeingPaid):
        shopper.says(yes=not yes)


def test_the_offer_shows_what_is_being_paid_for_however_old_it_is(
    shopper: Shopper, hold: Freeze
) -> None:
    agreed = shopper.says(yes=True)
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(hours=3))
    hold(shopper.cart)

    assert shopper.sees() == agreed


def test_a_changed_cart_is_quoted_in_a_package_of_its_own_while_the_other_is_being_paid(
    shopper: Shopper, shop: Shop, hold: Freeze, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    paying, before = hold(shopper.cart), shopper.cart
    shopper.cart = before.but(items=(ticket(count=3),))
    shopper.says(yes=True)
    again = hold(shopper.cart)

    ordered(shop.order("ORD-1"), hold=paying.hold)
    ordered(shop.order("ORD-2"), hold=again.hold)

    assert paying.premium
    assert again.premium
    assert sorted(booked()) == sorted([paying.premium.amount, again.premium.amount])


def test_a_cart_that_is_changed_back_shows_what_is_being_paid_for(
    shopper: Shopper, hold: Freeze
) -> None:
    before, agreed = shopper.cart, shopper.says(yes=True)
    hold(before)
    shopper.cart = before.but(items=(ticket(count=3),))
    shopper.sees()
    shopper.cart = before

    assert shopper.sees() == agreed


def test_a_package_that_is_being_paid_for_is_not_refreshed_until_the_hold_is_over(
    shopper: Shopper, hold: Freeze
) -> None:
    shopper.says(yes=True)
    reference = hold(shopper.cart).hold
    Quote.objects.update(price=1)  # XCover shows another price than this

    refresh.refresh(the_package())
    assert Quote.objects.get().price == 1
    assert Quote.objects.get().choice == Choice.ACCEPTED

    release_cover(reference)
    refresh.refresh(the_package())
    assert Quote.objects.get().price != 1


def test_a_hold_inside_a_transaction_would_be_no_hold(
    request_for: Callable[[Cart], HttpRequest], shopper: Shopper
) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="durable"):
        hold_cover(request_for(shopper.cart))


# It ends in an order


def test_a_new_session_with_another_cart_gets_its_cover_by_the_hold(
    shopper: Shopper, shop: Shop, hold: Freeze
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)

    ordered(shop.order(), shopper.cart.but(reference="cart-after-login"), hold=charged.hold)

    assert charged.premium
    assert booked() == [charged.premium.amount]
    assert the_package().order_reference == "ORD-1"


@pytest.mark.parametrize("items", [(), (laptop(),)])
def test_a_cart_that_was_emptied_or_changed_before_the_signal_gets_what_was_charged(
    shopper: Shopper, shop: Shop, hold: Freeze, items: tuple[Any, ...]
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)

    ordered(shop.order(), shopper.cart.but(items=items))

    assert charged.premium
    assert booked() == [charged.premium.amount]


@pytest.mark.parametrize("yes", [True, False])
def test_a_payment_that_comes_after_the_hold_has_expired_gets_what_was_charged(
    shopper: Shopper, shop: Shop, hold: Freeze, yes: bool
) -> None:
    shopper.says(yes=yes)
    charged = hold(shopper.cart)

    with expired():
        shopper.says(yes=not yes)
        ordered(shop.order(), hold=charged.hold)
        assert booked() == ([charged.premium.amount] if charged.premium else [])


def test_an_order_told_again_changes_nothing(
    shopper: Shopper, shop: Shop, hold: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)
    for _ in range(2):
        ordered(shop.order(), shopper.cart, hold=charged.hold)

    assert Operation.objects.count() == 1
    assert critical(caplog) == ""


def test_a_second_try_to_pay_leaves_nothing_behind(
    shopper: Shopper, shop: Shop, hold: Freeze
) -> None:
    shopper.says(yes=True)
    hold(shopper.cart)
    second = hold(shopper.cart)
    ordered(shop.order(), hold=second.hold)

    with expired():
        assert holds.sweep() == []
    assert not Hold.objects.unresolved().exists()


def test_a_premium_that_may_have_been_charged_is_not_forgotten_with_another_answer(
    shopper: Shopper, shop: Shop, hold: Freeze
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)
    with expired():
        assert len(holds.sweep()) == 1
        shopper.says(yes=False)
        assert hold(shopper.cart).premium is None
        ordered(shop.order(), shopper.cart)

    assert Hold.objects.get(reference=charged.hold).state == Hold.State.NO_ORDER
    assert Attention.HELD_WITHOUT_ORDER in {flag.reason for flag in Flag.objects.open()}


# Or in a release


def test_a_payment_that_failed_lets_the_shopper_choose_again(
    shopper: Shopper, hold: Freeze
) -> None:
    shopper.says(yes=True)
    assert release_cover(hold(shopper.cart).hold)

    shopper.says(yes=False)

    assert hold(shopper.cart).premium is None


def test_what_an_order_has_is_not_released(shopper: Shopper, shop: Shop, hold: Freeze) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)
    ordered(shop.order(), hold=charged.hold)

    assert not release_cover(charged.hold)
    assert not release_cover("unknown")
    assert not release_cover("\x00")


def test_an_order_after_the_release_is_not_covered_and_says_so(
    shopper: Shopper, shop: Shop, hold: Freeze, caplog: pytest.LogCaptureFixture
) -> None:
    shopper.says(yes=True)
    release_cover(hold(shopper.cart).hold)

    ordered(shop.order(), shopper.cart)

    assert booked() == []
    assert "Order ORD-1 gets no cover" in critical(caplog)


def test_a_released_premium_that_was_charged_after_all_is_booked_by_its_hold(
    shopper: Shopper, shop: Shop, hold: Freeze
) -> None:
    shopper.says(yes=True)
    charged = hold(shopper.cart)
    release_cover(charged.hold)

    ordered(shop.order(), hold=charged.hold)

    assert charged.premium
    assert booked() == [charged.premium.amount]
