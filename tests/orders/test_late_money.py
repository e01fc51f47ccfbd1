"""Money that comes when its cover is gone: never silent, and no refund is booked without it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from django_xcover import exceptions, payments
from django_xcover.exceptions import InstalmentOfCancelled, PreviewExpired
from django_xcover.models import Cancellation, Instalment, Quote, QuotePackage
from django_xcover.policies import cancellation, instalments
from django_xcover.policies.cancellation import requests
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled, order_completed, payment_completed
from django_xcover.types import Due, Money
from tests.conftest import Shopper, the_package, work
from tests.shop import Order, Shop, laptop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]

SHOPPER = Cancellation.Origin.SHOPPER


def completed(order: Order, shopper: Shopper) -> None:
    order_completed.send(sender=Order, order=order, cart=shopper.cart)


def paid(order: Order) -> None:
    payment_completed.send(sender=Order, order=order)


def cancelled(order: Order) -> None:
    order_cancelled.send(sender=Order, order=order)


@pytest.mark.parametrize("pays_later", [False, True])
def test_a_payment_after_the_order_was_cancelled_alerts_a_person(
    shopper: Shopper, shop: Shop, caplog: pytest.LogCaptureFixture, pays_later: bool
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=pays_later)
    completed(order, shopper)
    work()
    cancelled(order)
    work()

    paid(order)
    work()

    assert the_package().attention == "paid_in_vain"
    assert "Order ORD-1 was paid after its cover was cancelled" in caplog.text
    assert the_package().status != "CONFIRMED"


def test_a_payment_for_a_booking_that_was_cancelled_elsewhere_alerts_a_person(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completed(order, shopper)
    work()
    package = the_package()
    package.quotes.update(status="CANCELLED")
    QuotePackage.objects.update(status="CANCELLED")

    paid(order)

    assert the_package().attention == "paid_in_vain"


@pytest.mark.parametrize("booked", [False, True])
def test_a_payment_that_is_reported_again_after_a_cancellation_is_no_new_money(
    shopper: Shopper, shop: Shop, booked: bool
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    completed(order, shopper)
    paid(order)
    if booked:
        work()
    cancelled(order)
    work()

    paid(order)

    assert the_package().attention == ""


# A refund that was shown, and an instalment that comes after it


@pytest.fixture
def parts(shopper: Shopper, shop: Shop, sandbox: Sandbox) -> list[Instalment]:
    """Return the schedule of a booking that is paid in parts."""
    shopper.cart = shopper.cart.but(items=(laptop(),))
    shopper.says(yes=True)
    Quote.objects.update(instalment_plan="1year-monthly")
    completed(shop.order(), shopper)
    paid(shop.orders["ORD-1"])
    work()
    return instalments.mirror(the_package())


def test_a_refund_shown_before_an_instalment_was_paid_is_to_be_shown_anew(
    parts: list[Instalment],
) -> None:
    shown = cancellation.preview(the_package(), origin=SHOPPER)
    instalments.report(parts[1], paid=True, reference="pay-2")
    work()

    with pytest.raises(PreviewExpired):
        cancellation.request(shown)

    anew = cancellation.preview(the_package(), origin=SHOPPER)
    assert anew.total_refund is not None
    assert shown.total_refund is not None
    assert anew.total_refund > shown.total_refund


def test_an_instalment_paid_while_xcover_is_asked_is_part_of_the_refund(
    parts: list[Instalment], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest, asked = requests._preview, iter([True])

    def pays_meanwhile(*args: Any) -> Any:
        answer = honest(*args)
        if next(asked, False):
            instalments.report(parts[1], paid=True, reference="pay-2")
            work()
        return answer

    with monkeypatch.context() as patched:
        patched.setattr(requests, "_preview", pays_meanwhile)
        shown = cancellation.preview(the_package(), origin=SHOPPER)

    assert shown.total_refund == cancellation.preview(the_package(), origin=SHOPPER).total_refund


def test_a_policy_that_is_being_cancelled_takes_no_instalment(parts: list[Instalment]) -> None:
    cancellation.request(cancellation.preview(the_package(), origin=SHOPPER))

    with pytest.raises(InstalmentOfCancelled):
        instalments.report(parts[1], paid=True, reference="pay-2")


def test_an_instalment_that_overtakes_a_confirmed_cancellation_has_its_refund_looked_into(
    parts: list[Instalment], sandbox: Sandbox
) -> None:
    instalments.report(parts[1], paid=True, reference="pay-2")
    shown = cancellation.preview(the_package(), origin=SHOPPER)  # XCover does not know of it yet
    cancellation.request(shown)

    work()

    assert Cancellation.objects.get().state == "confirmed"
    assert the_package().attention == "refund_unclear"


@pytest.mark.parametrize("kind", ["renewal", "instalment", "modification", "nonsense"])
def test_a_payment_for_what_is_gone_is_refused_and_logged_with_the_orders_number(
    caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    gone = Due(
        kind=kind,
        reference="4711",
        order_reference="ORD-1",
        label="A ticket",
        amount=Money(Decimal("7.89"), "GBP"),
    )

    with pytest.raises(exceptions.NothingDue):
        payments.record_payment(gone, reference="pay-1")

    assert "A payment of order ORD-1 has to be refunded" in caplog.text
    assert "7.89 GBP" in caplog.text


def test_an_instalment_paid_twice_is_refused_and_logged(
    parts: list[Instalment], caplog: pytest.LogCaptureFixture
) -> None:
    due = payments.of_instalment(parts[1])
    assert due is not None
    payments.record_payment(due, reference="pay-1")

    with pytest.raises(exceptions.InstalmentPaidTwice):
        payments.record_payment(due, reference="pay-2")
    with pytest.raises(exceptions.NothingDue):
        payments.record_payment(
            replace(due, amount=Money(Decimal("0.01"), "GBP")), reference="pay-3"
        )

    assert caplog.text.count("A payment of order ORD-1 has to be refunded") == 2
