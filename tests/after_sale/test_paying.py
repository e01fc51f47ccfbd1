"""Cover added after the sale is booked once it is paid: never before, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from django_xcover import payments
from django_xcover.cover import book_instantly, order_cover, price_instantly
from django_xcover.exceptions import AfterSaleOver, NothingDue, OfferChanged
from django_xcover.models import (
    AfterSaleOffer,
    Decision,
    OfferOutcome,
    OfferPlacement,
    Operation,
    OperationKind,
    Quote,
    QuotePackage,
)
from django_xcover.offers import after_sale, after_sale_quotes, counts
from django_xcover.sandbox import Sandbox
from django_xcover.support import erasure
from django_xcover.support.timeline import order_story
from django_xcover.testing.factories import OrderEventFactory
from tests.after_sale.conftest import Late, booked, the_row
from tests.conftest import work
from tests.shop import SHOP, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]

INSTANT = OperationKind.INSTANT_BOOK


def is_nothing_booked(sandbox: Sandbox) -> bool:
    work()
    return booked(sandbox) == 0 and not Operation.objects.filter(kind=INSTANT).exists()


def test_a_yes_that_is_not_paid_books_nothing(late: Late, sandbox: Sandbox) -> None:
    late.orders()

    due = late.accepts()

    assert due.kind == "after_sale"
    assert due.label == "Harbour Lights Festival"
    assert due.amount == the_row().price
    assert is_nothing_booked(sandbox)


def test_the_payment_books_at_the_price_that_was_shown(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()

    late.pays(due)

    assert booked(sandbox) == 1
    quote = Quote.objects.get(status="CONFIRMED")
    assert quote.cost == quote.package.total == due.amount
    assert quote.package.attention == ""
    assert order_cover(late.order).state == "booked"
    assert late.sees() is None
    row = the_row()
    assert row.payment_reference == "pay-1"


def test_the_record_of_the_yes_has_what_was_shown_then(late: Late) -> None:
    late.orders()
    due = late.accepts()
    seen = late.sees()
    assert seen is not None

    late.pays(due)

    decision = Decision.objects.get(choice="accepted")
    assert decision.template_version == "test"
    [quote] = seen.offer.quotes
    assert decision.shown["pds_url"] == quote.pds_url
    assert decision.shown["benefits"]


@pytest.mark.parametrize("times", [2, 3])
def test_a_payment_that_is_recorded_again_books_once(
    late: Late, sandbox: Sandbox, times: int
) -> None:
    late.orders()
    due = late.accepts()

    for _ in range(times):
        late.pays(due)

    assert booked(sandbox) == 1
    assert Operation.objects.filter(kind=INSTANT).count() == 1
    assert len(sandbox.calls("instant_booking")) == 1


def test_a_second_payment_of_the_same_cover_is_refused(
    late: Late, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    late.orders()
    due = late.accepts()
    late.pays(due)

    with pytest.raises(NothingDue), transaction.atomic():
        payments.record_payment(due, reference="pay-2")

    assert "has to be refunded" in caplog.text
    assert len(sandbox.calls("instant_booking")) == 1


def test_a_yes_in_two_tabs_is_due_once(late: Late) -> None:
    late.orders()
    seen = late.sees()
    assert seen is not None

    first, second = late.accepts(shown=seen.shown), late.accepts(shown=seen.shown)

    assert first == second


def test_of_two_payments_for_two_answers_the_second_is_refused(
    late: Late, sandbox: Sandbox
) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(ticket(), laptop()))
    late.shopper.says(yes=False, line=0)
    late.shopper.says(yes=False, line=1)
    late.orders(yes=None)
    seen = late.sees()
    assert seen is not None
    one = late.accepts(shown=seen.shown, lines=[seen.offer.quotes[0].quote_id])
    both = late.accepts(shown=seen.shown)

    with pytest.raises(NothingDue), transaction.atomic():
        payments.record_payment(one)
    late.pays(both)

    assert payments.find(one.kind, one.reference) is None
    assert {quote.label for quote in Quote.objects.filter(status="CONFIRMED")} == {
        "Harbour Lights Festival",
        "Aero 14",
    }


def test_only_the_chosen_item_is_due_and_booked(late: Late) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(ticket(), laptop()))
    late.shopper.sees()
    late.orders(yes=None)
    seen = late.sees()
    assert seen is not None

    late.pays(late.accepts(shown=seen.shown, lines=[seen.offer.quotes[1].quote_id]))

    [quote] = Quote.objects.filter(status="CONFIRMED")
    assert (quote.label, quote.line_reference) == ("Aero 14", "laptop")


def test_a_yes_to_nothing_or_to_something_else_is_refused(late: Late) -> None:
    late.orders()
    seen = late.sees()
    assert seen is not None

    for lines in ([], ["unknown"]):
        with pytest.raises(OfferChanged):
            late.accepts(shown=seen.shown, lines=lines)


def test_a_no_after_a_yes_leaves_nothing_to_pay(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()

    after_sale.decline("ORD-1", template_version="test")

    assert payments.find(due.kind, due.reference) is None
    with pytest.raises(NothingDue), transaction.atomic():
        payments.record_payment(due)
    assert late.sees() is None
    assert is_nothing_booked(sandbox)


def test_a_no_is_reported_to_xcover_once_and_hides_the_offer(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    late.sees()
    before = len(sandbox.calls("opt_out"))

    after_sale.decline("ORD-1", template_version="test")
    after_sale.decline("ORD-1", template_version="test")
    work()

    assert len(sandbox.calls("opt_out")) == before + 1
    assert after_sale_quotes.look_on_page(late.request, late.order).late is None


def test_a_no_after_the_payment_is_refused(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    late.pays(late.accepts())

    with pytest.raises(AfterSaleOver):
        after_sale.decline("ORD-1", template_version="test")

    assert booked(sandbox) == 1


def test_a_yes_after_the_payment_is_refused(late: Late) -> None:
    late.orders()
    seen = late.sees()
    assert seen is not None
    late.pays(late.accepts())

    with pytest.raises(AfterSaleOver):
        late.accepts(shown=seen.shown)


def cancel(late: Late) -> None:
    late.cancels()


def buy_at_the_checkout(late: Late) -> None:
    """Let the checkout's own acceptance arrive late, as from an unsettled event."""
    QuotePackage.objects.filter(order_reference="ORD-1").update(status="RECEIVED")
    Quote.objects.update(choice="accepted")


def wait_for_another_payment(late: Late) -> None:
    OrderEventFactory.create(paid=True, order_reference="ORD-1")


def book_by_itself(late: Late) -> None:
    request = after_sale.request_of(the_row())
    offer = price_instantly(request)
    assert offer is not None
    book_instantly(late.order, request, agreed=offer.prices)


CHANGES = [cancel, buy_at_the_checkout, wait_for_another_payment, book_by_itself]


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_after_the_offer_makes_a_yes_void(
    late: Late, change: Callable[[Late], None]
) -> None:
    late.orders()
    seen = late.sees()
    assert seen is not None

    change(late)

    with pytest.raises(AfterSaleOver):
        late.accepts(shown=seen.shown)
    assert the_row().choice == ""


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_after_the_yes_leaves_nothing_to_pay(
    late: Late, change: Callable[[Late], None], caplog: pytest.LogCaptureFixture
) -> None:
    late.orders()
    due = late.accepts()
    known = Operation.objects.filter(kind=INSTANT)

    change(late)
    before = known.count()

    assert payments.find(due.kind, due.reference) is None
    with pytest.raises(NothingDue), transaction.atomic():
        payments.record_payment(due)
    assert known.count() == before
    assert the_row().paid_at is None
    assert "A payment of order ORD-1 has to be refunded" in caplog.text


def test_a_line_cancelled_after_the_yes_is_not_paid_and_the_rest_is_offered_again(
    late: Late,
) -> None:
    late.shopper.cart = late.shopper.cart.but(items=(ticket(), laptop()))
    late.shopper.sees()
    late.orders(yes=None)
    due = late.accepts()

    late.cancels("ticket")

    with pytest.raises(NothingDue), transaction.atomic():
        payments.record_payment(due)
    again = late.sees()
    assert again is not None
    assert (again.choice, [quote.label for quote in again.offer.quotes]) == ("", ["Aero 14"])


def test_an_order_cancelled_after_the_payment_is_not_insured(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()
    with transaction.atomic():
        payments.record_payment(due)
        late.cancels()
    work()

    assert booked(sandbox) == 0


def test_an_order_cancelled_after_the_booking_has_its_cover_cancelled(
    late: Late, sandbox: Sandbox
) -> None:
    late.orders()
    late.pays(late.accepts())

    late.cancels()
    work()

    assert [package["status"] for package in sandbox.packages()].count("CANCELLED") == 1


def test_a_price_that_expired_is_shown_again_and_not_paid(late: Late) -> None:
    late.orders()
    due = late.accepts()

    with time_machine.travel(timezone.now() + timedelta(minutes=91)):
        assert payments.find(due.kind, due.reference) is None
        again = late.sees()

    assert again is not None
    assert again.choice == ""


def test_a_payment_that_was_under_way_when_the_price_expired_is_booked(
    late: Late, sandbox: Sandbox
) -> None:
    late.orders()
    due = late.accepts()

    with time_machine.travel(timezone.now() + timedelta(minutes=91), tick=False):
        late.pays(due)

    assert booked(sandbox) == 1


def test_a_look_at_the_order_leaves_a_payment_under_way_alone(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()

    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        seen = late.sees()
        late.pays(due)

    assert seen is not None
    assert seen.choice == "accepted"
    assert booked(sandbox) == 1


def test_a_payment_that_comes_much_later_is_refused(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()

    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        with pytest.raises(NothingDue), transaction.atomic():
            payments.record_payment(due)
        assert is_nothing_booked(sandbox)


def test_a_payment_for_an_earlier_price_is_refused(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()
    with time_machine.travel(timezone.now() + timedelta(minutes=91)):
        late.accepts()

        with pytest.raises(NothingDue), transaction.atomic():
            payments.record_payment(due)
        assert is_nothing_booked(sandbox)


def test_a_payment_of_another_amount_is_refused(late: Late) -> None:
    late.orders()
    due = late.accepts()
    other = replace(due, amount=due.amount + due.amount)

    with pytest.raises(NothingDue), transaction.atomic():
        payments.record_payment(other)


@pytest.mark.parametrize(
    "reference", ["", "1", "x-1", "1-x", "1-2-3", "99999999999-1", "\u0663-\u0661"]
)
def test_an_unknown_reference_is_not_due(late: Late, reference: str) -> None:
    late.orders()
    late.accepts()

    assert payments.find("after_sale", reference) is None


def test_a_payment_that_is_rolled_back_books_nothing(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()
    with transaction.atomic():
        payments.record_payment(due)
        transaction.set_rollback(True)

    assert is_nothing_booked(sandbox)
    assert the_row().paid_at is None
    assert payments.find(due.kind, due.reference) == due


def test_a_fault_at_the_booking_is_tried_again_under_the_same_key(
    late: Late, sandbox: Sandbox
) -> None:
    late.orders()
    sandbox.faults.add("instant_booking", "process_then_hang", times=1, seconds=0.1)
    late.pays(late.accepts())
    Operation.objects.update(next_attempt_at=timezone.now())

    work()

    assert booked(sandbox) == 1
    assert len({call.idempotency_key for call in sandbox.calls("instant_booking")}) == 1


def test_an_order_that_the_shop_no_longer_has_is_not_booked(late: Late, sandbox: Sandbox) -> None:
    late.orders()
    due = late.accepts()
    SHOP.orders.clear()

    with pytest.raises(NothingDue), transaction.atomic():
        payments.record_payment(due)
    assert is_nothing_booked(sandbox)


def test_the_offer_and_the_answers_are_counted_by_placement(
    late: Late, django_capture_on_commit_callbacks: Any
) -> None:
    late.orders()
    with django_capture_on_commit_callbacks(execute=True):
        late.accepts()
        after_sale.decline("ORD-1", template_version="test")

    since = timezone.now() - timedelta(hours=1)
    assert counts.counts_since("default", since, OfferPlacement.AFTER_SALE) == {
        OfferOutcome.OFFERED: 1,
        OfferOutcome.ACCEPTED: 1,
        OfferOutcome.DECLINED: 1,
    }
    assert counts.lost_since("default", since) == {}


def test_the_timeline_tells_what_was_offered_answered_and_paid(late: Late) -> None:
    late.orders()
    late.pays(late.accepts())

    story = order_story("ORD-1")

    assert story is not None
    titles = [event.title for event in story.events]
    told = [title for title in titles if "after the sale" in title]
    assert told == [
        "Cover offered after the sale",
        "Cover accepted after the sale",
        "Cover paid after the sale",
    ]


def test_an_erased_order_leaves_no_offer(late: Late) -> None:
    late.orders()
    late.pays(late.accepts())

    erasure.erase_order("ORD-1")

    assert not AfterSaleOffer.objects.exists()
    assert not QuotePackage.objects.exists()
