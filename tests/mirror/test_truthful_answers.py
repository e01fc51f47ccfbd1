"""Only an answer to what was asked is believed: id, currency, policy types and sums."""

from __future__ import annotations

import logging
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from django_xcover.client import UnexpectedAnswer, XCoverClient
from django_xcover.client.http import RawResponse, Transport
from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Attention, Flag, Quote, QuotePackage
from django_xcover.offers import quoting
from django_xcover.sandbox import Sandbox
from django_xcover.signals import payment_completed
from tests.conftest import ReadCart, Shopper, the_package, work
from tests.shop import Cart, Order, Shop, laptop, ticket

pytestmark = pytest.mark.django_db
BOTH = Cart(items=(ticket(), laptop()))
Bend = Callable[[str, Callable[[Any], Any]], None]


@pytest.fixture
def bend(monkeypatch: pytest.MonkeyPatch) -> Bend:
    """Return what replaces the answers to one call by what a function makes of them."""

    def bend_answers(call: str, change: Callable[[Any], Any]) -> None:
        honest = getattr(XCoverClient, call)

        def bent(*args: Any, **options: Any) -> Any:
            answer = honest(*args, **options)
            return change(answer) or answer

        monkeypatch.setattr(XCoverClient, call, bent)

    return bend_answers


def test_an_answer_about_another_package_opens_nobody_elses_certificate(
    shopper: Shopper, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shopper.says(yes=True)
    payment_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    work()
    mine = the_package()
    shopper.cart = Cart(reference="cart-2")
    shopper.says(yes=True)
    payment_completed.send(sender=Order, order=shop.order("ORD-2"), cart=shopper.cart)
    work()
    theirs = QuotePackage.objects.get(order_reference="ORD-2")
    honest = Transport.exchange

    def mixed(self: Transport, request: Any, until: Any) -> Any:
        raw = honest(self, request, until)
        body = raw.body.replace(mine.package_id.encode(), theirs.package_id.encode())
        return type(raw)(raw.status, raw.headers, body)

    monkeypatch.setattr(Transport, "exchange", mixed)

    with pytest.raises(UnexpectedAnswer, match="id is not the requested one"):
        refresh.refresh(mine)

    mine.refresh_from_db()
    assert theirs.package_id not in str(mine.payload)


@pytest.mark.parametrize(
    "call",
    [
        lambda client, ins: client.get_quote(ins),
        lambda client, ins: client.update_quote(ins, {}),
        lambda client, ins: client.add_quotes(ins, {}),
        lambda client, ins: client.delete_quotes(ins, {}),
        lambda client, ins: client.create_booking(ins, {}),
        lambda client, ins: client.confirm_booking(ins),
        lambda client, ins: client.get_booking(ins),
        lambda client, ins: client.booking_modification(ins, {}),
        lambda client, ins: client.booking_modification_quote(ins, {}),
        lambda client, ins: client.confirm_booking_modification(ins, "AAAAA-AAAAA-UPD"),
        lambda client, ins: client.cancel_booking(ins),
        lambda client, ins: client.confirm_booking_cancellation(ins, "AAAAA-AAAAA-CCL"),
        lambda client, ins: client.quote_for_renewal(ins),
        lambda client, ins: client.renewal_confirmation(ins, "renewal"),
        lambda client, ins: client.renewal_opt_out(ins),
        lambda client, ins: client.get_instalments(ins),
    ],
)
def test_every_call_refuses_an_answer_about_another_package(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, call: Callable[[XCoverClient, str], Any]
) -> None:
    another = RawResponse(200, {}, b'{"id": "OTHER-OTHER-INS", "status": "CONFIRMED"}')
    monkeypatch.setattr(Transport, "exchange", lambda *args: another)

    with pytest.raises(UnexpectedAnswer, match="id is not the requested one"):
        call(factory.client_for("default"), "AAAAA-AAAAA-INS")


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("update_id", lambda c: c.confirm_booking_modification("A-INS", "A-UPD")),
        ("cancellation_id", lambda c: c.confirm_booking_cancellation("A-INS", "A-CCL")),
        ("renewal_id", lambda c: c.renewal_confirmation("A-INS", "A")),
    ],
)
def test_a_step_refuses_an_answer_about_another_step(
    shop: Shop,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    call: Callable[[XCoverClient], Any],
) -> None:
    body = f'{{"id": "A-INS", "{name}": "B"}}'.encode()
    monkeypatch.setattr(Transport, "exchange", lambda *args: RawResponse(200, {}, body))

    with pytest.raises(UnexpectedAnswer, match=f"{name} is not") as caught:
        call(factory.client_for("default"))
    assert not caught.value.outcome_known


# Policy types


def swap_keys(answer: Any) -> None:
    quotes = answer["quotes"]
    quotes["0"], quotes["1"] = quotes["1"], quotes["0"]


def test_a_renumbered_answer_gives_each_line_its_own_cover(
    sandbox: Sandbox, read: ReadCart, bend: Bend
) -> None:
    bend("create_quote", swap_keys)

    offer = quoting.fresh_offer(read(BOTH))

    assert offer is not None
    kinds = dict(Quote.objects.values_list("line_reference", "policy_type"))
    assert kinds == {"ticket": "event_ticket_protection", "laptop": "product_insurance"}


def test_a_renumbered_answer_that_cannot_be_matched_is_refused_by_name(
    sandbox: Sandbox, read: ReadCart, bend: Bend, caplog: pytest.LogCaptureFixture
) -> None:
    bend("create_quote", swap_keys)
    cart = Cart(items=(ticket(), laptop(), ticket("third")))

    assert quoting.fresh_offer(read(cart)) is None
    assert "quotes cannot be matched to what was asked for" in caplog.text


def of_another_type(answer: Any) -> None:
    for quote in answer["quotes"].values():
        if quote["policy"]["policy_type"] == "product_insurance":
            quote["policy"]["policy_type"] = "parcel_insurance"


@pytest.mark.parametrize("call", ["create_quote", "add_quotes"])
def test_cover_of_another_kind_than_asked_for_is_not_offered(
    shopper: Shopper, sandbox: Sandbox, bend: Bend, read: ReadCart, call: str
) -> None:
    if call == "add_quotes":
        shopper.sees()
    bend(call, of_another_type)

    offer = quoting.fresh_offer(read(BOTH))

    assert offer is None
    assert not Quote.objects.filter(policy_type="parcel_insurance").exists()


def test_quotes_as_a_list_are_read_in_their_order_and_logged(
    sandbox: Sandbox, read: ReadCart, bend: Bend, caplog: pytest.LogCaptureFixture
) -> None:
    bend("create_quote", lambda answer: answer.update(quotes=list(answer["quotes"].values())))

    offer = quoting.fresh_offer(read(BOTH))

    assert offer is not None
    assert [quote.label for quote in offer.quotes] == ["Harbour Lights Festival", "Aero 14"]
    assert "as a list" in caplog.text


# Sums and discounts


def first(answer: Any) -> Any:
    return answer["quotes"]["0"]


@pytest.mark.usefixtures("sandbox")
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("total_price", lambda a: a.update(total_price=Decimal("99.99"))),
        ("bundle_price", lambda a: a.update(bundle_price=Decimal("0.99"))),
        ("bundle_discount", lambda a: a.update(bundle_discount_amount=Decimal(1))),
        ("bundle_discount", lambda a: a.update(bundle_discount_percent=Decimal(10))),
        ("discount_price", lambda a: first(a).update(discount_price=Decimal(1))),
        ("discount_amount", lambda a: first(a).update(discount_amount=Decimal(1))),
    ],
)
def test_prices_that_do_not_add_up_are_not_offered_and_named(
    read: ReadCart,
    bend: Bend,
    caplog: pytest.LogCaptureFixture,
    name: str,
    change: Callable[[Any], Any],
) -> None:
    bend("create_quote", change)

    assert quoting.fresh_offer(read(BOTH)) is None
    assert f"{name} is not" in caplog.text


def test_a_booking_whose_total_is_not_its_prices_is_flagged_and_logged_with_its_order(
    shopper: Shopper, shop: Shop, bend: Bend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    shopper.says(yes=True)
    payment_completed.send(sender=Order, order=shop.order(), cart=shopper.cart)
    bend("create_booking", lambda answer: answer.update(total_price=Decimal("99.99")))
    work()

    assert [flag.reason for flag in Flag.objects.all()] == [Attention.PRICE_DIFFERS]
    assert "Order ORD-1" in caplog.text
