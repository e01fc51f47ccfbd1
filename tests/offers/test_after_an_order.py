"""The same cart after its order: each order asks again, and says what became of the earlier yes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.cover import current_cover, freeze_cover, hold_cover
from django_xcover.mirror.presentation import OfferedQuote
from django_xcover.models import Quote, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.signals import order_cancelled
from tests import completion
from tests.conftest import Shopper, work
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = pytest.mark.django_db
RequestFor = Callable[[Cart | None], HttpRequest]
CANCELLED = (
    "You chose this cover for an earlier order, and it was cancelled. "
    "If you would like it for this order, please choose again."
)
ORDERED = (
    "You chose this cover for an earlier order. "
    "If you would like it for this order too, please choose again."
)


@pytest.fixture(params=["booked", "paid", "frozen", "unpaid"])
def ordered(
    request: pytest.FixtureRequest, shopper: Shopper, shop: Shop, request_for: RequestFor
) -> Order:
    """Return an order with cover, as far as the parameter says; its cart lives on."""
    shopper.says(yes=True)
    order = shop.order()
    if request.param == "frozen":
        freeze_cover(request_for(shopper.cart))
    completion.complete(order, shopper.cart, paid=request.param in {"booked", "paid"})
    if request.param == "booked":
        work()
    return order


def cancel(order: Order, **facts: object) -> None:
    order_cancelled.send(sender=Order, order=order, **facts)


def asked_anew(shopper: Shopper, line: int = 0) -> OfferedQuote:
    """Return the next offer's quote, which must not be answered."""
    quote = shopper.sees().quotes[line]
    assert (quote.choice, quote.plan) == ("", "")
    return quote


def said(quote: OfferedQuote) -> str:
    assert quote.lapse is not None
    return quote.lapse.message


@pytest.mark.parametrize("worked", [True, False], ids=["and carried out", "just now"])
def test_after_an_order_was_cancelled_its_cart_is_asked_again_and_reads_why(
    shopper: Shopper, ordered: Order, request_for: RequestFor, worked: bool
) -> None:
    cancel(ordered)
    if worked:
        work()

    quote = asked_anew(shopper)

    # A policy that is still to be cancelled at XCover belongs to its order until then.
    assert said(quote) in {CANCELLED, ORDERED}
    if worked or not Quote.objects.booked().exists():
        assert said(quote) == CANCELLED
    cover = freeze_cover(request_for(shopper.cart))
    assert (cover.premium, cover.lapsed) == (None, True)


def test_a_second_order_of_the_same_cart_is_asked_again_and_reads_why(
    shopper: Shopper, ordered: Order, request_for: RequestFor
) -> None:
    quote = asked_anew(shopper)

    assert said(quote) == ORDERED
    assert freeze_cover(request_for(shopper.cart)).premium is None
    assert Quote.objects.accepted().get().package.order_reference == ordered.reference


def test_the_reason_stays_until_there_is_an_answer_and_then_goes(
    shopper: Shopper, ordered: Order
) -> None:
    cancel(ordered)
    work()
    shopper.sees()
    for currency in ("EUR", "GBP"):
        shopper.cart = shopper.cart.but(currency=currency)
        assert said(asked_anew(shopper)) == CANCELLED

    assert shopper.says(yes=True).quotes[0].lapse is None
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(hours=3))

    assert "order" not in said(asked_anew(shopper))


def test_of_an_order_of_which_a_line_was_cancelled_each_line_has_its_own_reason(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    for line in range(2):
        shopper.says(yes=True, line=line)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    cancel(order, lines=["ticket"])

    assert said(asked_anew(shopper, 0)) == CANCELLED
    assert said(asked_anew(shopper, 1)) == ORDERED


def test_a_no_of_an_earlier_order_is_not_spoken_of(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=False)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    cancel(order)

    assert asked_anew(shopper).lapse is None


def test_an_order_after_a_cancelled_one_says_that_the_yes_is_gone_although_nothing_is_offered(
    shopper: Shopper, ordered: Order, sandbox: Sandbox, request_for: RequestFor
) -> None:
    cancel(ordered)
    sandbox.faults.add("create_quote", "reset", times=None)

    cover = freeze_cover(request_for(shopper.cart))

    assert (cover.premium, cover.lapsed) == (None, True)
    assert current_cover(request_for(shopper.cart)).premium is None


def test_a_hold_of_a_cancelled_order_freezes_nothing_for_the_next_one(
    shopper: Shopper, shop: Shop, request_for: RequestFor, transactional_db: None
) -> None:
    shopper.says(yes=True)
    hold = hold_cover(request_for(shopper.cart)).hold
    order = shop.order()
    completion.complete(order, shopper.cart, paid=False, hold=hold)
    cancel(order)

    asked_anew(shopper)
    second = shop.order("ORD-2")
    completion.complete(second, shopper.cart, paid=True)
    work()

    assert not Quote.objects.booked().exists()


@pytest.mark.parametrize("currency", ["GBP", "EUR"])
def test_the_same_cover_quoted_anew_is_not_said_to_be_other_cover(
    shopper: Shopper, clock: time_machine.Traveller, currency: str
) -> None:
    """A package's own id is in the links to its documents; an open start is when it is quoted."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    for line in range(2):
        shopper.says(yes=True, line=line)
    clock.shift(timedelta(hours=3))
    shopper.cart = shopper.cart.but(currency=currency)

    for quote in shopper.sees().quotes:
        assert quote.lapse is not None
        assert set(quote.lapse.changed) <= {"currency", "price", "cover_amount", "benefits"}
        assert currency == "EUR" or not quote.lapse.changed
