"""Single lines that were cancelled before their instant booking was sent."""

from __future__ import annotations

import pytest

from django_xcover.cover import book_instantly
from django_xcover.models import Choice, Quote, Status
from django_xcover.offers import fast_quote
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled
from tests.conftest import the_package, work
from tests.offers.fast_quotes.support import asked, let_time_pass
from tests.shop import Shop, laptop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
TWO = asked(laptop("first"), laptop("second"))


def order_both(shop: Shop, *, cancelled: str, before: bool) -> None:
    """Order two equal laptops with cover, and cancel one line before or after that."""
    offer = fast_quote.price(TWO)
    assert offer is not None
    order = shop.order()
    if before:
        order_cancelled.send(sender=object, order=order, lines=[cancelled])
    book_instantly(order, TWO, agreed=offer.prices)
    if not before:
        order_cancelled.send(sender=object, order=order, lines=[cancelled])


def booked_at(sandbox: Sandbox) -> list[str]:
    [booking] = [p for p in sandbox.packages() if p["status"] == "CONFIRMED"]
    return [quote["status"] for quote in booking["quotes"]]


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("cancelled", ["first", "second"])
def test_a_line_that_was_cancelled_before_the_call_is_not_booked(
    shop: Shop, sandbox: Sandbox, cancelled: str, *, before: bool
) -> None:
    order_both(shop, cancelled=cancelled, before=before)
    work()
    work()

    assert booked_at(sandbox) == ["CONFIRMED"]
    kept = Quote.objects.get(status=Status.CONFIRMED)
    assert (kept.choice, kept.line_reference == cancelled) == (Choice.ACCEPTED, False)
    assert sandbox.calls("cancel_booking") == []
    assert the_package().attention == ("paid_in_vain" if before else "")


def test_a_line_that_is_cancelled_after_an_attempt_is_booked_and_then_cancelled(
    shop: Shop, sandbox: Sandbox
) -> None:
    sandbox.faults.add("instant_booking", "process_then_reset")
    offer = fast_quote.price(TWO)
    assert offer is not None
    order = shop.order()
    book_instantly(order, TWO, agreed=offer.prices)
    work()
    order_cancelled.send(sender=object, order=order, lines=["first"])
    for _ in range(3):
        let_time_pass()
        work()

    assert sorted(booked_at(sandbox)) == ["CANCELLED", "CONFIRMED"]
    assert Quote.objects.get(status=Status.CONFIRMED).line_reference == "second"
