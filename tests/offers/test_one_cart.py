"""One cart with several packages: an order gets the one that was charged, and no other ever."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.booking import instant_booking
from django_xcover.cover import Cover, current_cover, freeze_cover
from django_xcover.mirror import refresh
from django_xcover.models import Operation, OperationKind, Quote, QuotePackage
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from django_xcover.types import QuoteRequest
from django_xcover.values import UnusableValue
from tests import completion
from tests.conftest import Shopper, work
from tests.shop import Cart, Shop, laptop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
RequestFor = Callable[[Cart | None], HttpRequest]


@pytest.fixture
def freeze(request_for: RequestFor) -> Callable[[Cart], Cover]:
    return lambda cart: freeze_cover(request_for(cart))


def booked_at(sandbox: Sandbox) -> set[str]:
    return {p["currency"] for p in sandbox.packages() if p["status"] == "CONFIRMED"}


def switch(shopper: Shopper, currency: str) -> Shopper:
    shopper.cart = shopper.cart.but(currency=currency)
    return shopper


def test_cover_that_was_charged_is_booked_although_another_tab_was_quoted_meanwhile(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=True)
    ordered = shopper.cart

    with transaction.atomic():
        assert freeze(ordered).premium is not None
        switch(shopper, "EUR").sees()
        completion.complete(shop.order(), ordered, paid=True)
    work()

    assert booked_at(sandbox) == {"GBP"}


def test_cover_that_was_charged_is_booked_although_xcover_was_read_again_meanwhile(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=True)
    ordered = shopper.cart
    assert freeze(ordered).premium is not None
    switch(shopper, "EUR").sees()

    refresh.refresh(QuotePackage.objects.get(currency="GBP"))
    completion.complete(shop.order(), ordered, paid=True)
    work()

    assert booked_at(sandbox) == {"GBP"}


def test_cover_that_was_charged_after_its_offer_grew_old_is_booked(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(hours=3))

    with transaction.atomic():
        premium = freeze(shopper.cart).premium
        shopper.sees()  # in another tab
        completion.complete(shop.order(), shopper.cart, paid=True)
    work()

    assert premium is not None
    assert booked_at(sandbox) == {premium.currency}


def test_a_yes_that_was_quoted_anew_in_another_tab_has_lapsed_and_says_so(
    shopper: Shopper, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(hours=3))
    shopper.sees()  # in another tab

    cover = freeze(shopper.cart)

    assert cover.premium is None
    assert cover.lapsed, "the first tab still says that cover is added"
    assert not Quote.objects.accepted().exists()


def test_a_no_to_what_was_quoted_anew_is_a_no_and_nothing_lapsed(
    shopper: Shopper, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(hours=3))
    shopper.says(yes=False)

    assert not freeze(shopper.cart).lapsed


def test_a_yes_in_another_tab_after_the_total_was_made_is_not_booked_unpaid(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=False)
    ordered = shopper.cart

    with transaction.atomic():
        assert freeze(ordered).premium is None
        switch(shopper, "EUR").says(yes=True)
        completion.complete(shop.order(), ordered, paid=True)
    work()

    assert booked_at(sandbox) == set()


def test_a_second_order_of_the_cart_does_not_book_what_the_first_left_behind(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    switch(shopper, "EUR").says(yes=True)

    completion.complete(shop.order("ORD-1"), shopper.cart, paid=True)
    completion.complete(shop.order("ORD-2"), shopper.cart, paid=True)
    work()

    assert booked_at(sandbox) == {"EUR"}


def test_a_second_order_of_the_cart_is_not_charged_for_what_the_first_left_behind(
    shopper: Shopper, shop: Shop, freeze: Callable[[Cart], Cover], request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    before = shopper.cart
    switch(shopper, "EUR").says(yes=True)
    completion.complete(shop.order("ORD-1"), shopper.cart, paid=True)

    assert freeze(before).premium is None
    assert current_cover(request_for(before)).premium is None


def test_a_cart_that_goes_on_after_its_order_is_insured_by_a_package_of_its_own(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=True)
    completion.complete(shop.order("ORD-1"), shopper.cart, paid=True)
    switch(shopper, "EUR").says(yes=True)

    with transaction.atomic():
        assert freeze(shopper.cart).premium is not None
        completion.complete(shop.order("ORD-2"), shopper.cart, paid=True)
    work()

    assert booked_at(sandbox) == {"GBP", "EUR"}


def test_of_a_cart_that_was_frozen_twice_the_later_cover_is_booked(
    shopper: Shopper, shop: Shop, sandbox: Sandbox, freeze: Callable[[Cart], Cover]
) -> None:
    shopper.says(yes=True)
    freeze(shopper.cart)
    switch(shopper, "EUR").says(yes=True)

    freeze(shopper.cart)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()

    assert booked_at(sandbox) == {"EUR"}


def test_a_cart_without_a_reference_takes_over_nothing(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    request = QuoteRequest(
        currency="GBP", customer_country="GB", customer_language="en", items=(laptop(),)
    )
    price = instant_booking.price(request)
    assert price is not None
    instant_booking.opt_out(price, request)

    with pytest.raises(UnusableValue, match="get_cart_reference is empty"):
        completion.complete(shop.order(), shopper.cart.but(reference=""), paid=True)

    assert QuotePackage.objects.get().order_reference == ""
    assert Operation.objects.filter(kind=OperationKind.BOOK).count() == 0


def test_what_was_frozen_is_still_shown_as_it_was(
    shopper: Shopper, freeze: Callable[[Cart], Cover], request_for: RequestFor
) -> None:
    offer = shopper.says(yes=True)
    freeze(shopper.cart)

    assert shopper.sees() == offer
    assert [quote.quote_id for quote in Quote.objects.all()] == [offer.quotes[0].quote_id]
    found = quoting.latest_quotes(shopper._read(shopper.cart))
    assert len(found) == 1
