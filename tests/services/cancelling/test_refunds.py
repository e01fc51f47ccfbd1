"""Refunds: exact in every currency, and recorded once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_xcover.models import Cancellation, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.services import cancelling
from django_xcover.types import Money
from tests.conftest import the_package, work
from tests.services.buying import Buy
from tests.services.cancelling.support import SHOPPER, State, preview, the_cancellation
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db

# Exact.


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_refunds_are_exact_in_every_currency(buy: Buy, sandbox: Sandbox, currency: str) -> None:
    package = buy(ticket(price="133"), laptop(price="977"), currency=currency)
    tickets = package.quotes.get(line_reference="ticket")

    found = preview(package)
    assert found.refund == package.total
    assert sum(line.refund.amount for line in cancelling.lines_of(found) if line.refund) == (
        package.total_price
    )
    cancelling.cancel_now(package, quotes=[tickets], origin=SHOPPER)
    work()

    done = Cancellation.objects.get(state=State.CONFIRMED)
    assert done.refund == tickets.cost
    assert the_package().total_price + tickets.price == package.total_price
    assert the_package().total_price == sandbox.package(package.package_id)["total_price"]


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_after_cooling_off_the_refund_is_what_xcover_says(
    buy: Buy, sandbox: Sandbox, currency: str
) -> None:
    package = buy(laptop(price="977"), currency=currency)
    sandbox.clock.advance(days=200)

    found = preview(package)
    cancelling.request(found)
    work()

    assert found.refund is not None
    assert 0 < found.refund.amount < package.total_price
    assert the_cancellation().refund == found.refund
    decimals = {"GBP": 2, "JPY": 0, "KWD": 3}[currency]
    assert found.refund.amount == round(found.refund.amount, decimals)
    assert the_package().attention == ""


# Recorded.


def test_a_refund_is_recorded_with_its_reference(booked: QuotePackage) -> None:
    found = preview(booked)
    cancelling.request(found)
    work()

    cancelling.record_refund(found, booked.total, reference="re_1")
    cancelling.record_refund(found, booked.total, reference="re_1")

    assert the_cancellation().refunded == booked.total_price
    assert the_cancellation().refund_reference == "re_1"
    assert the_cancellation().refunded_at is not None


@pytest.mark.parametrize(
    ("refund", "sentence"),
    [
        (Money(Decimal(1), "EUR"), "This refund cannot be recorded: the cover was paid in GBP."),
        (
            Money(Decimal(-1), "GBP"),
            "This refund cannot be recorded: the amount must not be below zero.",
        ),
        (
            Money(Decimal("NaN"), "GBP"),
            "This refund cannot be recorded: the amount must not be below zero.",
        ),
    ],
)
def test_a_refund_that_cannot_be_this_ones_is_not_recorded(
    booked: QuotePackage, refund: Money, sentence: str
) -> None:
    found = preview(booked)
    cancelling.request(found)
    work()

    with pytest.raises(cancelling.RefundNotRecorded) as refused:
        cancelling.record_refund(found, refund)

    assert str(refused.value) == sentence
    assert the_cancellation().refunded is None


def test_a_second_refund_is_not_recorded_over_the_first(booked: QuotePackage) -> None:
    found = preview(booked)
    cancelling.request(found)
    work()
    cancelling.record_refund(found, booked.total, reference="re_1")

    with pytest.raises(cancelling.RefundNotRecorded) as refused:
        cancelling.record_refund(found, booked.total, reference="re_2")

    told = "This refund cannot be recorded: another refund is recorded already."
    assert str(refused.value) == told
    assert the_cancellation().refund_reference == "re_1"


def test_a_refund_of_what_was_not_cancelled_is_not_recorded(booked: QuotePackage) -> None:
    found = preview(booked)
    Cancellation.objects.update(state=State.REFUSED)

    with pytest.raises(cancelling.RefundNotRecorded) as refused:
        cancelling.record_refund(found, booked.total)

    told = "This refund cannot be recorded: the cover was not cancelled."
    assert str(refused.value) == told
