"""A price on a product page, and cover quoted and booked in one call."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from django_xcover import exceptions
from django_xcover.booking import dual_payment, instant_booking
from django_xcover.booking import instant_booking as booking
from django_xcover.client import XCoverClient
from django_xcover.clients import cache as shared_cache
from django_xcover.clients import circuit_breaker
from django_xcover.cover import book_instantly, order_cover
from django_xcover.models import (
    Attention,
    Choice,
    Decision,
    Operation,
    OperationState,
    Quote,
    QuotePackage,
)
from django_xcover.offers import fast_quote
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from django_xcover.support.timeline import order_story
from django_xcover.types import Money, PolicyRequest, QuoteRequest
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
TOO_DEAR = laptop("yacht", price="900000")


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


def asked(*items: PolicyRequest, currency: str = "GBP") -> QuoteRequest:
    return QuoteRequest(
        currency=currency,
        customer_country="GB",
        customer_language="en",
        items=items or (laptop(),),
    )


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


def bookings_at(sandbox: Sandbox) -> list[str]:
    return [p["id"] for p in sandbox.packages() if p["status"] == "CONFIRMED"]


# The price


@pytest.mark.parametrize("fault", ["status", "reset", "garbage", "throttle"])
def test_a_fault_of_xcovers_costs_the_price_and_nothing_else(sandbox: Sandbox, fault: str) -> None:
    sandbox.faults.add("fast_quote", fault, times=9)

    assert instant_booking.price(asked()) is None


def test_while_xcover_is_away_not_every_page_asks(sandbox: Sandbox) -> None:
    sandbox.faults.add("fast_quote", "status", times=9)

    for _ in range(3):
        instant_booking.price(asked())

    assert len(sandbox.calls("fast_quote")) == 1


def test_a_missing_answer_does_not_replace_a_price_that_came_meanwhile(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = fast_quote._ask

    def another_process_is_faster(account: str, request: QuoteRequest) -> None:
        monkeypatch.setattr(fast_quote, "_ask", ask)
        assert instant_booking.price(request) is not None

    monkeypatch.setattr(fast_quote, "_ask", another_process_is_faster)
    instant_booking.price(asked())

    assert instant_booking.price(asked()) is not None


def test_while_the_circuit_is_open_xcover_is_not_asked(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def is_open(account: str) -> None:
        raise exceptions.CircuitOpen

    monkeypatch.setattr(circuit_breaker, "guard", is_open)

    assert instant_booking.price(asked()) is None
    assert sandbox.calls("fast_quote") == []


def test_a_cache_that_fails_costs_no_price(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_cache, "attempt", lambda do, otherwise: otherwise)

    assert instant_booking.price(asked()) is not None


@pytest.mark.parametrize(
    "answer", [{}, {"currency": "GBP", "quotes": 3}, {"currency": "GBP", "quotes": {"0": {}}}]
)
def test_an_answer_that_cannot_be_read_is_no_price(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    monkeypatch.setattr(XCoverClient, "fast_quote", lambda *args, **options: answer)

    assert instant_booking.price(asked()) is None


def test_what_is_not_insured_has_no_price(sandbox: Sandbox) -> None:
    assert instant_booking.price(asked(TOO_DEAR)) is None

    offer = instant_booking.price(asked(TOO_DEAR, laptop()))

    assert offer is not None
    assert list(offer.prices) == ["laptop"]
    assert [quote.label for quote in offer.quotes] == ["Aero 14"]


def test_an_unknown_account_is_a_mistake_of_the_shops(shop: Shop) -> None:
    with pytest.raises(ImproperlyConfigured, match="no account"):
        instant_booking.price(asked(), account="elsewhere")


def test_xcover_gets_a_little_less_than_the_shoppers_patience(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    settings.XCOVER = {**settings.XCOVER, "OFFER_DEADLINE": 1.0}
    waits: list[float] = []

    def note(self: XCoverClient, payload: Any, *, deadline: float) -> Any:
        waits.append(deadline)
        return {}

    monkeypatch.setattr(XCoverClient, "fast_quote", note)

    instant_booking.price(asked())

    assert waits == [0.95]


def test_a_price_is_stored_nowhere_and_asked_for_once(
    sandbox: Sandbox, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        first = instant_booking.price(asked(laptop(), ticket()))
        second = instant_booking.price(asked(laptop(), ticket()))

    assert first is not None
    assert first == second
    assert len(sandbox.calls("fast_quote")) == 1
    assert sandbox.packages() == []
    assert first.premium == first.prices["laptop"] + first.prices["ticket"]
    assert first.quotes[0].pds_url.startswith("https://")


def test_items_in_another_order_keep_their_own_prices(sandbox: Sandbox) -> None:
    one, other = asked(laptop(), ticket()), asked(ticket(), laptop())

    first, second = instant_booking.price(one), instant_booking.price(other)

    assert first is not None
    assert second is not None
    assert first.prices == second.prices
    assert [quote.label for quote in second.quotes] == ["Harbour Lights Festival", "Aero 14"]


def test_a_quote_without_id_and_status_is_a_price_all_the_same(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = {"currency": "GBP", "quotes": [None, {"price": Decimal("1.10"), "id": None}]}
    monkeypatch.setattr(XCoverClient, "fast_quote", lambda *args, **options: answer)

    offer = instant_booking.price(asked(TOO_DEAR, laptop()))

    assert offer is not None
    assert offer.prices == {"laptop": Money(Decimal("1.10"), "GBP")}
    assert offer.fast_quote_id == ""
    assert instant_booking.opt_out(offer, asked()) is None


# The booking


@pytest.fixture
def agreed(sandbox: Sandbox) -> dict[str, Money]:
    """Return the prices that the shopper was shown for a laptop and two tickets."""
    offer = instant_booking.price(asked(laptop(), ticket()))
    assert offer is not None
    return dict(offer.prices)


@pytest.fixture
def paid(shop: Shop, agreed: dict[str, Money]) -> Operation:
    """Return the instant booking of a paid order, to be carried out."""
    return book_instantly(shop.order(), asked(laptop(), ticket()), agreed=agreed)


def test_what_was_not_asked_for_cannot_be_agreed(shop: Shop, agreed: dict[str, Money]) -> None:
    with pytest.raises(ValueError, match="no item of the request"):
        book_instantly(shop.order(), asked(laptop()), agreed=agreed)
    with pytest.raises(ValueError, match="no item of the request"):
        book_instantly(shop.order(), asked(laptop()), agreed={})
    with pytest.raises(ValueError, match="another currency"):
        book_instantly(
            shop.order(), asked(laptop(), currency="EUR"), agreed={"laptop": agreed["laptop"]}
        )

    assert not QuotePackage.objects.exists()


@pytest.mark.parametrize("fault", ["process_then_hang", "process_then_reset"])
def test_an_answer_that_is_lost_is_brought_back_by_the_same_key(
    paid: Operation, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("instant_booking", fault, times=1, seconds=0.05)
    work()
    let_time_pass()
    work()

    keys = {call.idempotency_key for call in sandbox.calls("instant_booking")}
    assert keys == {paid.idempotency_key}
    assert the_operation().state == OperationState.DONE
    assert bookings_at(sandbox) == [the_package().package_id]


def test_after_the_key_is_forgotten_nothing_is_posted_before_a_person_has_looked(
    paid: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("instant_booking", "garbage", times=1)
    work()
    let_time_pass()
    Operation.objects.update(created_at=timezone.now() - timedelta(hours=49))
    posts = len(sandbox.calls("instant_booking"))
    work()

    operation = the_operation()
    assert operation.state == OperationState.NEEDS_PERSON
    assert "Press “Retry now” only if it has no booking" in operation.error["message"]
    assert len(sandbox.calls("instant_booking")) == posts

    operations.retry(operation)
    work()

    assert the_operation().state == OperationState.DONE
    assert the_operation().idempotency_key != paid.idempotency_key


def test_a_price_that_differs_from_the_agreed_one_is_flagged(
    paid: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("instant_booking", "wrong_price")

    work()

    quote = Quote.objects.get(line_reference="laptop")
    assert the_package().attention == Attention.PRICE_DIFFERS
    assert quote.price != quote.chosen_price


@pytest.mark.parametrize("how", ["null", "absent"])
def test_an_agreed_policy_that_was_not_booked_is_flagged(
    shop: Shop, sandbox: Sandbox, how: str
) -> None:
    items = (laptop(), ticket(), laptop("second", price="2400"))
    offer = instant_booking.price(asked(*items))
    assert offer is not None
    book_instantly(shop.order(), asked(*items), agreed=offer.prices)
    # It loses one policy when it quotes and one when it books.
    sandbox.faults.add("instant_booking", "missing_policy", how=how)

    work()

    assert the_package().attention == Attention.POLICY_MISSING
    booked = Quote.objects.get(status="CONFIRMED")
    assert booked.price == offer.prices[booked.line_reference].amount


def test_refused_data_is_mended_in_the_order_and_sent_under_another_key(
    paid: Operation, sandbox: Sandbox, shop: Shop
) -> None:
    sandbox.faults.add("instant_booking", "status", status=422)
    work()
    assert the_operation().state == OperationState.NEEDS_PERSON
    assert order_cover(shop.orders["ORD-1"]).state == "needs_person"

    operations.retry(the_operation())
    work()

    assert the_package().status == "CONFIRMED"
    assert the_operation().idempotency_key != paid.idempotency_key


def test_an_order_without_a_policyholder_goes_through_and_a_person_is_told(
    shop: Shop, agreed: dict[str, Money]
) -> None:
    order = shop.order(policyholder=None)
    book_instantly(order, asked(laptop(), ticket()), agreed=agreed)
    for _ in range(5):
        work()
        let_time_pass()

    assert the_operation().state == OperationState.NEEDS_PERSON


def test_an_instant_booking_that_waits_is_found_by_the_address_of_its_order(
    paid: Operation,
) -> None:
    assert the_package().policyholder_email == "ana@example.com"


def test_an_order_is_booked_once_however_often_the_shop_says_so(
    paid: Operation, shop: Shop, agreed: dict[str, Money], sandbox: Sandbox
) -> None:
    again = book_instantly(shop.order(), asked(laptop(), ticket()), agreed=agreed)
    work()
    and_again = book_instantly(shop.order(), asked(laptop(), ticket()), agreed=agreed)
    work()

    assert again == and_again == paid
    assert len(bookings_at(sandbox)) == 1


def test_of_two_simultaneous_calls_one_writes(
    paid: Operation, shop: Shop, agreed: dict[str, Money], monkeypatch: pytest.MonkeyPatch
) -> None:
    look = booking._written
    seen: list[str] = []

    def look_too_early(reference: str) -> Operation | None:
        seen.append(reference)
        return look(reference) if len(seen) > 1 else None

    monkeypatch.setattr(booking, "_written", look_too_early)

    assert book_instantly(shop.order(), asked(laptop(), ticket()), agreed=agreed) == paid
    assert QuotePackage.objects.count() == 1


def test_the_payment_signal_does_not_book_it_a_second_time(
    paid: Operation, shop: Shop, sandbox: Sandbox
) -> None:
    completion.complete(shop.order(), paid=True)
    work()
    completion.complete(shop.order(), paid=True)
    work()

    assert Operation.objects.count() == 1
    assert len(bookings_at(sandbox)) == 1


def test_until_xcover_has_named_it_the_row_stands_for_what_was_agreed(
    paid: Operation, shop: Shop, agreed: dict[str, Money]
) -> None:
    package = the_package()

    assert package.is_provisional
    assert not package.is_open
    assert package.total == agreed["laptop"] + agreed["ticket"]
    assert order_cover(shop.orders["ORD-1"]).state == "arranging"


def test_the_booking_is_mirrored_like_any_other(
    paid: Operation, shop: Shop, agreed: dict[str, Money], sandbox: Sandbox
) -> None:
    work()

    package = the_package()
    assert [package.package_id] == bookings_at(sandbox)
    assert not package.is_provisional
    assert (package.status, package.attention) == ("CONFIRMED", "")
    assert sandbox.package(package.package_id)["partner_transaction_id"] == "ORD-1"
    cover = order_cover(shop.orders["ORD-1"])
    assert cover.state == "booked"
    assert [(p.label, p.status) for p in cover.policies] == [
        ("Aero 14", "CONFIRMED"),
        ("Harbour Lights Festival", "CONFIRMED"),
    ]
    assert "instant_request" not in package.payload
    assert the_operation().request == {}


def test_the_orders_story_tells_of_the_booking_once(paid: Operation) -> None:
    work()

    story = order_story("ORD-1")

    assert story is not None
    titles = [event.title for event in story.events]
    assert titles.count("Booked at XCover") == 1
    assert "Instant booking done" not in titles


def test_two_things_of_one_kind_keep_their_own_policies(shop: Shop, sandbox: Sandbox) -> None:
    items = (laptop("a", price="1200"), laptop("b", price="2400"))
    offer = instant_booking.price(asked(*items))
    assert offer is not None
    book_instantly(shop.order(), asked(*items), agreed=offer.prices)

    work()

    assert the_package().attention == ""
    for quote in Quote.objects.all():
        assert quote.price == offer.prices[quote.line_reference].amount
        assert not quote.quote_id.startswith("instant-")


def test_only_what_was_agreed_is_booked(
    shop: Shop, agreed: dict[str, Money], sandbox: Sandbox
) -> None:
    only = {"ticket": agreed["ticket"]}
    book_instantly(shop.order(), asked(laptop(), ticket()), agreed=only)

    work()

    assert [quote.line_reference for quote in Quote.objects.all()] == ["ticket"]
    assert the_package().total == agreed["ticket"]


def test_the_yes_is_on_record_with_the_wording_that_was_shown(shop: Shop, sandbox: Sandbox) -> None:
    offer = instant_booking.price(asked(laptop()))
    assert offer is not None
    book_instantly(shop.order(), asked(laptop()), agreed=offer.prices)

    decision = Decision.objects.get()
    assert (decision.choice, decision.price) == (Choice.ACCEPTED, offer.premium.amount)
    assert decision.shown["pds_url"] == offer.quotes[0].pds_url
    assert decision.order_reference == "ORD-1"


def test_amounts_are_sent_as_the_numbers_they_are(
    paid: Operation, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[dict[str, Any]] = []
    instant = XCoverClient.instant_booking

    def note(self: XCoverClient, payload: Any, **options: Any) -> Any:
        sent.append(payload)
        return instant(self, payload, **options)

    monkeypatch.setattr(XCoverClient, "instant_booking", note)
    work()

    assert sent[0]["request"][0]["price"] == 1200
    assert sent[0]["policyholder"]["email"] == "ana@example.com"


@pytest.mark.parametrize("currency", ["JPY", "KWD", "GBP"])
def test_money_is_exact_in_every_currency(shop: Shop, sandbox: Sandbox, currency: str) -> None:
    offer = instant_booking.price(asked(ticket(price="133"), currency=currency))
    assert offer is not None
    book_instantly(shop.order(), asked(ticket(price="133"), currency=currency), agreed=offer.prices)

    work()

    assert the_package().total == offer.premium
    assert the_package().attention == ""


def test_with_dual_payment_the_token_goes_along(paid: Operation, shop: Shop) -> None:
    dual_payment.use_token(shop.orders["ORD-1"], "tok-1")

    assert Operation.objects.get().request["customer_token_id"] == "tok-1"
    work()
    assert the_package().status == "CONFIRMED"


# Declining


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
