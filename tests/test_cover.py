"""What the shop reads: the premium to charge, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpRequest
from django.utils import timezone

from django_xcover.cover import current_cover, freeze_cover, order_cover
from django_xcover.formats import format_amount
from django_xcover.models import Choice, Decision, OperationState, Quote, QuotePackage
from django_xcover.overview.policies import policy_rows, summarise
from django_xcover.policies import documents
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, work
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
RequestFor = Callable[[Cart | None], HttpRequest]


def test_an_offer_nobody_answered_costs_nothing(shopper: Shopper, request_for: RequestFor) -> None:
    shopper.sees()

    cover = freeze_cover(request_for(shopper.cart))

    assert cover.premium is None
    assert not cover.is_answered


def test_a_yes_to_a_cart_that_has_changed_is_not_charged(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    changed = shopper.cart.but(items=(ticket(count=3),))

    cover = freeze_cover(request_for(changed))

    assert cover.premium is None
    assert cover.lapsed
    assert Quote.objects.get().choice == ""
    assert Decision.objects.latest("pk").choice == Choice.LAPSED


def test_a_yes_for_a_cart_that_was_emptied_is_not_charged(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.says(yes=True)

    cover = freeze_cover(request_for(shopper.cart.but(items=())))

    assert cover.premium is None
    assert cover.lapsed


def test_a_request_without_a_cart_has_no_cover(shop: Shop, request_for: RequestFor) -> None:
    assert freeze_cover(request_for(None)).premium is None
    assert current_cover(request_for(None)).premium is None


def test_a_yes_still_holds_when_the_offer_grew_old_on_the_page(
    shopper: Shopper, request_for: RequestFor
) -> None:
    agreed = shopper.says(yes=True).premium
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(hours=3))

    assert freeze_cover(request_for(shopper.cart)).premium == agreed


def test_no_page_shows_less_than_an_order_is_charged(
    shopper: Shopper, sandbox: Sandbox, request_for: RequestFor
) -> None:
    shopper.says(yes=True)
    QuotePackage.objects.update(quoted_at=timezone.now() - timedelta(days=3))
    sandbox.faults.add("*", "reset", times=None)  # so that the old offer is not replaced

    shown = current_cover(request_for(shopper.cart)).premium

    assert shown is not None
    assert freeze_cover(request_for(shopper.cart)).premium == shown


def test_the_premium_is_the_sum_of_what_was_accepted(
    shopper: Shopper, request_for: RequestFor
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=False, line=0)
    offer = shopper.says(yes=True, line=1)

    cover = current_cover(request_for(shopper.cart))

    assert cover.premium == offer.quotes[1].price
    assert [line.label for line in cover.lines] == ["Aero 14"]
    assert cover.is_answered


def test_reading_the_cover_costs_one_query(
    shopper: Shopper, request_for: RequestFor, django_assert_num_queries: Any
) -> None:
    shopper.says(yes=True)

    with django_assert_num_queries(1):
        current_cover(request_for(shopper.cart))


def test_an_order_without_an_offer_has_no_cover(shop: Shop) -> None:
    assert order_cover(shop.order()).state == "none"


def test_a_declined_order_shows_no_policy(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=False)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)

    cover = order_cover(order)

    assert (cover.state, cover.policies) == ("declined", ())


def test_a_paid_order_is_being_arranged_until_xcover_has_booked(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)

    assert order_cover(order).state == "arranging"
    work()

    cover = order_cover(order)
    assert cover.state == "booked"
    assert cover.policies[0].documents == documents.KINDS
    assert cover.policies[0].status == "CONFIRMED"


@pytest.mark.parametrize("other", ["CONFIRMED", "CANCELLED", "ON_HOLD"])
def test_booked_cover_whose_status_turns_unknown_is_not_said_to_be_unbooked(
    shopper: Shopper, shop: Shop, other: str
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    work()
    Quote.objects.filter(line_reference="ticket").update(status="ON_HOLD")
    Quote.objects.filter(line_reference="laptop").update(status=other)

    cover = order_cover(order)

    assert cover.state == "unclear"
    assert cover.policies[0].state == "unclear"


def test_an_unpaid_order_waits_for_the_money(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completion.complete(order, shopper.cart, paid=False)
    work()

    cover = order_cover(order)
    assert cover.state == "awaiting_payment"
    assert "certificate" not in cover.policies[0].documents


def test_a_payment_that_xcover_has_not_heard_of_yet_is_not_asked_for_again(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completion.complete(order, shopper.cart, paid=False)
    work()
    completion.complete(order, None, paid=True)

    before = order_cover(order).state
    sandbox.faults.add("confirm_booking", "status", status=422)
    work()

    assert (before, order_cover(order).state) == ("arranging", "needs_person")


def test_a_stuck_booking_says_that_a_person_is_on_it(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    sandbox.faults.add("create_booking", "status", status=422)
    work()

    assert the_operation().state == OperationState.NEEDS_PERSON
    assert order_cover(order).state == "needs_person"


def two(shopper: Shopper, shop: Shop) -> Order:
    """Return the paid order of tickets and a laptop, both insured."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    for line in range(2):
        shopper.says(yes=True, line=line)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    return order


def states(order: Order) -> tuple[str, list[str]]:
    """Return the state of the order's cover, and those of its policies."""
    cover = order_cover(order)
    return cover.state, [policy.state.value for policy in cover.policies]


def test_an_order_of_which_one_policy_was_not_booked_is_not_called_booked(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    order = two(shopper, shop)
    sandbox.faults.add("create_booking", "missing_policy")
    work()

    assert states(order) == ("partly_booked", ["needs_person", "active"])
    QuotePackage.objects.update(attention="")
    assert states(order) == ("partly_booked", ["failed", "active"])


def test_an_order_of_which_one_policy_is_cancelled_says_so(shopper: Shopper, shop: Shop) -> None:
    order = two(shopper, shop)
    work()
    Quote.objects.filter(label="Aero 14").update(status="CANCELLED")

    assert states(order) == ("partly_cancelled", ["active", "cancelled"])


@pytest.mark.parametrize("status", ["OPTED_OUT", "DELETED", "EXPIRED"])
def test_paid_cover_that_came_to_nothing_is_not_left_out(
    shopper: Shopper, shop: Shop, status: str
) -> None:
    order = two(shopper, shop)
    Quote.objects.update(status=status)

    assert states(order) == ("failed", ["failed", "failed"])


def test_paid_cover_in_an_unknown_status_is_looked_into(shopper: Shopper, shop: Shop) -> None:
    order = two(shopper, shop)
    Quote.objects.update(status="UNHEARD_OF")

    assert states(order) == ("unclear", ["unclear", "unclear"])


def test_an_order_says_of_each_policy_what_my_cover_says(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    order = two(shopper, shop)
    sandbox.faults.add("create_booking", "missing_policy")

    for _ in range(2):
        shown = {policy.quote_id: policy.state for policy in order_cover(order).policies}
        assert shown == {row.quote_id: summarise(row).state for row in policy_rows()}
        work()


def test_each_policy_names_its_line_as_a_cancellation_does(shopper: Shopper, shop: Shop) -> None:
    order = two(shopper, shop)

    named = [policy.line_reference for policy in order_cover(order).policies]

    assert named == [item.reference for item in shopper.cart.items]


def test_a_price_that_is_not_the_one_agreed_on_is_told(
    shopper: Shopper, shop: Shop, sandbox: Sandbox
) -> None:
    shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    agreed = format_amount(Quote.objects.get().cost)
    (policy,) = order_cover(order).policies
    assert policy.agreed_formatted == ""
    sandbox.faults.add("create_booking", "wrong_price")
    work()

    (policy,) = order_cover(order).policies

    assert policy.agreed_formatted == agreed
    assert policy.price_formatted != agreed
    assert policy.is_looked_into


def test_an_orders_cover_costs_two_queries(
    shopper: Shopper, shop: Shop, django_assert_num_queries: Any
) -> None:
    shopper.cart = shopper.cart.but(items=(ticket(), laptop(), laptop("second")))
    for line in range(3):
        shopper.says(yes=True, line=line)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=True)
    work()

    with django_assert_num_queries(2):
        assert len(order_cover(order).policies) == 3
