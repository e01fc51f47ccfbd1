"""Refunds: exact in every currency, and recorded once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_xcover import exceptions
from django_xcover.models import Cancellation, QuotePackage
from django_xcover.policies import cancellation, refunds
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.buying import Buy
from tests.conftest import the_package, work
from tests.policies.cancellation.support import SHOPPER, State, preview, the_cancellation
from tests.shop import laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]

# Exact.


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_refunds_are_exact_in_every_currency(buy: Buy, sandbox: Sandbox, currency: str) -> None:
    package = buy(ticket(price="133"), laptop(price="977"), currency=currency)
    tickets = package.quotes.get(line_reference="ticket")

    found = preview(package)
    assert found.refund == package.total
    assert sum(line.refund.amount for line in cancellation.lines_of(found) if line.refund) == (
        package.total_price
    )
    cancellation.cancel_now(package, quotes=[tickets], origin=SHOPPER)
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
    cancellation.request(found)
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
    cancellation.request(found)
    work()
    assert refunds.recorded(the_cancellation()) is None

    cancellation.record_refund(found, booked.total, reference="re_1")
    cancellation.record_refund(found, booked.total, reference="re_1")

    assert refunds.recorded(the_cancellation()) == booked.total
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
    cancellation.request(found)
    work()

    with pytest.raises(exceptions.RefundNotRecorded) as refused:
        cancellation.record_refund(found, refund)

    assert str(refused.value) == sentence
    assert the_cancellation().refunded is None


def test_a_second_refund_is_not_recorded_over_the_first(booked: QuotePackage) -> None:
    found = preview(booked)
    cancellation.request(found)
    work()
    cancellation.record_refund(found, booked.total, reference="re_1")

    with pytest.raises(exceptions.RefundNotRecorded) as refused:
        cancellation.record_refund(found, booked.total, reference="re_2")

    told = "This refund cannot be recorded: another refund is recorded already."
    assert str(refused.value) == told
    assert the_cancellation().refund_reference == "re_1"


def test_a_refund_of_what_was_not_cancelled_is_not_recorded(booked: QuotePackage) -> None:
    found = preview(booked)
    Cancellation.objects.update(state=State.REFUSED)

    with pytest.raises(exceptions.RefundNotRecorded) as refused:
        cancellation.record_refund(found, booked.total)

    told = "This refund cannot be recorded: the cover was not cancelled."
    assert str(refused.value) == told


# Above the limit, and corrected.


@pytest.fixture
def cancelled(booked: QuotePackage) -> Cancellation:
    """Return a cancellation that XCover has carried out; its refund is not recorded."""
    found = preview(booked)
    cancellation.request(found)
    work()
    return the_cancellation()


def test_more_than_xcover_named_is_not_recorded_without_leave(cancelled: Cancellation) -> None:
    much = Money(Decimal(9999), cancelled.currency)

    with pytest.raises(exceptions.RefundAboveLimit):
        cancellation.record_refund(cancelled, much)
    assert the_cancellation().refunded is None

    cancellation.record_refund(cancelled, much, may_exceed=True)
    assert the_cancellation().refunded == 9999


def test_while_xcover_has_named_nothing_the_price_of_the_policies_is_the_limit(
    cancelled: Cancellation, booked: QuotePackage
) -> None:
    Cancellation.objects.update(total_refund=None)
    above = Money(booked.total_price + Decimal("0.01"), booked.currency)

    with pytest.raises(exceptions.RefundAboveLimit):
        cancellation.record_refund(cancelled, above)
    cancellation.record_refund(cancelled, booked.total)

    assert the_cancellation().refunded == booked.total_price


def test_a_correction_keeps_what_was_recorded_before_and_why(
    cancelled: Cancellation, booked: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = Money(Decimal("1.00"), booked.currency)
    cancellation.record_refund(cancelled, wrong, reference="re_1")

    cancellation.correct_refund(
        cancelled, booked.total, reference="re_2", reason="A digit was missing", by="7"
    )

    now = the_cancellation()
    assert (now.refunded, now.refund_reference) == (booked.total_price, "re_2")
    kept = now.corrections.get()
    assert (kept.amount_before, kept.reference_before) == (Decimal("1.00"), "re_1")
    assert (kept.amount, kept.reference) == (booked.total_price, "re_2")
    assert (kept.reason, kept.by) == ("A digit was missing", "7")
    assert booked.order_reference in caplog.text


def test_corrections_add_up_and_none_is_lost(cancelled: Cancellation) -> None:
    def amount(value: int) -> Money:
        return Money(Decimal(value), cancelled.currency)

    cancellation.record_refund(cancelled, amount(1))
    for value in (2, 3):
        cancellation.correct_refund(cancelled, amount(value), reason="Typed wrong")

    made = list(the_cancellation().corrections.values_list("amount_before", "amount"))
    assert made == [(Decimal(1), Decimal(2)), (Decimal(2), Decimal(3))]


def test_a_correction_above_the_limit_needs_leave_too(cancelled: Cancellation) -> None:
    cancellation.record_refund(cancelled, Money(Decimal(1), cancelled.currency))
    much = Money(Decimal(9999), cancelled.currency)

    with pytest.raises(exceptions.RefundAboveLimit):
        cancellation.correct_refund(cancelled, much, reason="Typed wrong")

    assert the_cancellation().refunded == 1
    assert not the_cancellation().corrections.exists()


def test_there_is_nothing_to_correct_before_a_refund_or_without_a_difference(
    cancelled: Cancellation,
) -> None:
    one = Money(Decimal(1), cancelled.currency)
    with pytest.raises(exceptions.RefundNotRecorded):
        cancellation.correct_refund(cancelled, one, reason="Typed wrong")
    cancellation.record_refund(cancelled, one, reference="re_1")
    with pytest.raises(exceptions.RefundNotRecorded):
        cancellation.correct_refund(cancelled, one, reference="re_1", reason="Typed wrong")

    assert not the_cancellation().corrections.exists()
