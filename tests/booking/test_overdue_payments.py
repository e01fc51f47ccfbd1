"""Pending bookings whose money never comes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import settings as django_settings

from django_xcover import tasks
from django_xcover.booking import overdue_payments
from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Attention, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.support import next_steps
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Order, Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Return the time for the shop and the sandbox."""
    with time_machine.travel("2026-05-01T09:00:00Z", tick=False) as traveller:
        yield traveller


@pytest.fixture
def order(clock: time_machine.Traveller, shopper: Shopper, shop: Shop) -> Order:
    """Return an order that is to be paid later; its cover is booked and pending."""
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completion.complete(order, shopper.cart, paid=False)
    work()
    return order


@pytest.fixture
def late(order: Order, clock: time_machine.Traveller) -> QuotePackage:
    """Return the pending booking fifteen days later."""
    clock.shift(timedelta(days=15))
    return the_package()


def test_a_vendor_that_cannot_be_asked_leaves_it_for_the_next_sweep(
    late: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_quote", "status", status=503, times=5)

    assert overdue_payments.sweep() == []
    assert the_package().attention == ""
    assert overdue_payments.sweep() == [late]


def test_a_booking_that_was_confirmed_elsewhere_is_mirrored_and_not_flagged(
    late: QuotePackage,
) -> None:
    factory.client_for("default").confirm_booking(late.package_id, idempotency_key="x")

    assert overdue_payments.sweep() == []
    assert (the_package().status, the_package().attention) == ("CONFIRMED", "")


def test_a_booking_a_person_has_already_is_left_to_that_person(late: QuotePackage) -> None:
    QuotePackage.objects.update(attention=Attention.PRICE_DIFFERS)

    assert overdue_payments.sweep() == []
    assert the_package().attention == Attention.PRICE_DIFFERS


def test_a_booking_in_time_is_left_alone(order: Order, clock: Any, sandbox: Sandbox) -> None:
    clock.shift(timedelta(days=13, hours=23))
    calls = len(sandbox.calls())

    assert overdue_payments.sweep() == []
    assert len(sandbox.calls()) == calls


def test_the_shop_says_how_long_it_waits(order: Order, clock: Any, settings: Any) -> None:
    settings.XCOVER = {**django_settings.XCOVER, "PAYMENT_DAYS": 2}
    clock.shift(timedelta(days=3))

    assert overdue_payments.sweep() == [the_package()]


def test_a_confirmed_booking_is_neither_read_nor_flagged(
    shopper: Shopper, shop: Shop, clock: Any, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    clock.shift(timedelta(days=15))
    calls = len(sandbox.calls())

    assert overdue_payments.sweep() == []
    assert len(sandbox.calls()) == calls


def test_what_is_overdue_is_flagged_once_with_what_to_do(late: QuotePackage) -> None:
    tasks.sweep_unpaid()
    assert overdue_payments.sweep() == []

    package = the_package()
    assert package.attention == Attention.PAYMENT_OVERDUE
    [step] = next_steps.next_steps(package, package.quotes.all(), package.operations.all())
    assert step.urgent
    assert "payment" in step.what
    assert package.status == "PENDING_PAYMENT"


def test_the_flag_goes_when_the_money_comes(late: QuotePackage, order: Order) -> None:
    overdue_payments.sweep()

    completion.complete(order, paid=True)
    work()

    assert (the_package().status, the_package().attention) == ("CONFIRMED", "")


def test_the_flag_stays_while_nothing_has_changed(late: QuotePackage) -> None:
    overdue_payments.sweep()
    package = the_package()

    refresh.refresh(package)

    assert the_package().attention == Attention.PAYMENT_OVERDUE
