"""A fast quote that was not taken is declined, and keeps nothing of the customer."""

from __future__ import annotations

import logging

import pytest

from django_xcover.booking import instant_booking
from django_xcover.models import Operation, OperationState, QuotePackage
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.offers.fast_quotes.support import asked, let_time_pass
from tests.shop import Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def test_a_price_that_was_not_taken_is_declined_by_its_fast_quote_id(
    sandbox: Sandbox, shop: Shop
) -> None:
    offer = instant_booking.price(asked())
    assert offer is not None
    first = instant_booking.opt_out(offer, asked())
    second = instant_booking.opt_out(offer, asked())

    work()

    assert first == second
    assert the_package().status == "OPTED_OUT"
    path = sandbox.calls("opt_out")[0].path
    assert offer.fast_quote_id in path


def test_a_declining_whose_answer_was_lost_is_sent_again(sandbox: Sandbox, shop: Shop) -> None:
    offer = instant_booking.price(asked())
    assert offer is not None
    instant_booking.opt_out(offer, asked())
    sandbox.faults.add("opt_out", "process_then_reset", times=9)
    work()
    sandbox.faults.clear()
    let_time_pass()
    work()

    assert the_operation().state == OperationState.DONE


def test_nothing_of_a_customer_is_logged(
    paid: Operation, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add("instant_booking", "status", status=422)
    with caplog.at_level(logging.DEBUG):
        work()

    assert "ana@example.com" not in caplog.text


def test_the_cart_of_the_same_order_is_settled_beside_it(
    paid: Operation, shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=False)

    completion.complete(shop.orders["ORD-1"], shopper.cart, paid=True)
    work()

    assert sorted(QuotePackage.objects.values_list("status", flat=True)) == [
        "CONFIRMED",
        "OPTED_OUT",
    ]
