"""A fast quote that was agreed is quoted and booked in one call."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover.booking import dual_payment, instant_booking
from django_xcover.booking import instant_booking as booking
from django_xcover.client import XCoverClient
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
from django_xcover.outbox import operations
from django_xcover.sandbox import Sandbox
from django_xcover.support.timeline import order_story
from django_xcover.types import Money
from tests import completion
from tests.conftest import the_operation, the_package, work
from tests.offers.fast_quotes.support import asked, let_time_pass
from tests.shop import Shop, laptop, ticket

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


def bookings_at(sandbox: Sandbox) -> list[str]:
    return [p["id"] for p in sandbox.packages() if p["status"] == "CONFIRMED"]


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


def test_with_dual_payment_the_token_goes_along(
    paid: Operation, shop: Shop, sandbox: Sandbox
) -> None:
    sandbox.xpay.add_token("tok-1", "ana@example.com")
    dual_payment.use_token(shop.orders["ORD-1"], "tok-1")

    assert Operation.objects.get().request["customer_token_id"] == "tok-1"
    work()
    assert the_package().status == "CONFIRMED"
