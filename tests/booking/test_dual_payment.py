"""Dual payment: XCover charges a card that we never see."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from django.core import serializers

from django_xcover import exceptions
from django_xcover.booking import dual_payment
from django_xcover.client import XCoverClient
from django_xcover.cover import CardState, order_cover
from django_xcover.exceptions import CardNumberSent
from django_xcover.models import Attention, Operation, OperationState, QuotePackage
from django_xcover.outbox import lease, operations
from django_xcover.outbox.transitions import transition
from django_xcover.overview.policies import policy_rows
from django_xcover.overview.policy import details
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import ANA, Adapter, Order, Shop
from tests.test_card_numbers import CARDS

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
TOKEN = "5d8f0c1e-7a55-4a0e-9a77-0d5a2f1c9e11"
DECLINED = "declined-token"


@pytest.fixture(autouse=True)
def cards(sandbox: Sandbox) -> None:
    """Let XPay know the cards that are used here; the bank declines the last one."""
    for token in (TOKEN, "another-token"):
        sandbox.xpay.add_token(token, ANA.email)
    sandbox.xpay.add_token(DECLINED, ANA.email, is_declined=True)


@pytest.fixture
def order(shopper: Shopper, shop: Shop) -> Order:
    """Return an order with cover, not paid yet."""
    shopper.says(yes=True)
    order = shop.order()
    completion.complete(order, shopper.cart, paid=False)
    return order


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the bodies of the bookings that are sent."""
    sent: list[dict[str, Any]] = []
    create_booking = XCoverClient.create_booking

    def send(self: XCoverClient, package_id: str, payload: Any, **options: Any) -> Any:
        sent.append(dict(payload))
        return create_booking(self, package_id, payload, **options)

    monkeypatch.setattr(XCoverClient, "create_booking", send)
    return sent


def everything_stored() -> str:
    """Return every row of ours as text."""
    rows = [*QuotePackage.objects.all(), *Operation.objects.all()]
    return str(serializers.serialize("json", rows))


@pytest.mark.parametrize("card", CARDS)
def test_a_card_number_is_refused_and_neither_stored_nor_logged(
    order: Order, card: str, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG),
        pytest.raises(CardNumberSent, match="Please never send card numbers here") as refused,
    ):
        dual_payment.use_token(order, card)

    assert card not in everything_stored() + caplog.text + str(refused.value)


@pytest.mark.parametrize("field", ["first_name", "address1", "company", "postcode"])
@pytest.mark.parametrize("card", CARDS[:2])
def test_a_card_number_typed_into_a_name_is_neither_stored_nor_sent_nor_logged(
    order: Order, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, field: str, card: str
) -> None:
    typed: dict[str, Any] = {field: f"card {card}"}
    order.policyholder = replace(ANA, **typed)
    with caplog.at_level(logging.DEBUG):
        completion.complete(order, paid=True)
        work()

    operation = the_operation()
    assert operation.state == OperationState.NEEDS_PERSON
    assert f"The policyholder's {field} contains a card number." in operation.error["message"]
    assert sandbox.calls("create_booking") == []
    assert card not in everything_stored() + caplog.text


@pytest.mark.parametrize("odd", ["", " ", "a" * 65, "tok en", "tok\n", "<b>", None, 7, {"id": "x"}])
def test_what_is_no_token_is_refused_with_a_sentence(order: Order, odd: Any) -> None:
    with pytest.raises(exceptions.TokenUnreadable, match="Please enter it again"):
        dual_payment.use_token(order, odd)


def test_the_token_of_another_persons_e_mail_is_refused(order: Order) -> None:
    with pytest.raises(exceptions.EmailDiffers, match="same e-mail"):
        dual_payment.use_token(order, TOKEN, email="Ana@example.com")

    assert the_package().customer_token_id == ""


def test_an_order_without_cover_has_nothing_to_pay(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=False)
    declined = shop.order()
    completion.complete(declined, shopper.cart, paid=False)

    for order in (declined, shop.order("ORD-2")):
        with pytest.raises(exceptions.NoCoverToPay):
            dual_payment.use_token(order, TOKEN)


def test_a_booked_cover_is_not_paid_again(order: Order, shopper: Shopper) -> None:
    completion.complete(order, paid=True)
    work()

    with pytest.raises(exceptions.TooLateToPay):
        dual_payment.use_token(order, TOKEN)


def test_a_booking_whose_outcome_is_unknown_keeps_its_body(order: Order, sandbox: Sandbox) -> None:
    dual_payment.use_token(order, TOKEN)
    completion.complete(order, paid=True)
    sandbox.faults.add("create_booking", "process_then_reset", times=5)
    work()

    with pytest.raises(exceptions.TooLateToPay):
        dual_payment.use_token(order, "another-token")

    assert the_operation().request["customer_token_id"] == TOKEN
    assert the_package().customer_token_id == TOKEN


def test_a_cover_booked_for_a_later_payment_takes_no_token(shopper: Shopper, shop: Shop) -> None:
    shopper.says(yes=True)
    order = shop.order(pays_later=True)
    completion.complete(order, shopper.cart, paid=False)

    with pytest.raises(exceptions.TooLateToPay):
        dual_payment.use_token(order, TOKEN)


def test_a_charge_that_xcover_refuses_waits_for_another_card(
    order: Order, sandbox: Sandbox, bodies: list[dict[str, Any]]
) -> None:
    dual_payment.use_token(order, TOKEN)
    completion.complete(order, paid=True)
    sandbox.faults.add("create_booking", "status", status=422)
    work()
    stuck = the_operation()
    assert stuck.state == OperationState.NEEDS_PERSON

    dual_payment.use_token(order, "another-token")
    work()

    assert [body["customer_token_id"] for body in bodies] == [TOKEN, "another-token"]
    assert the_operation().idempotency_key != stuck.idempotency_key
    assert the_package().status == "CONFIRMED"


def test_a_failed_charge_is_a_clear_state_for_a_person(
    order: Order, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    fail_bookings(monkeypatch)
    dual_payment.use_token(order, TOKEN)
    completion.complete(order, paid=True)

    work()

    package = the_package()
    assert the_operation().state == OperationState.DONE
    assert (package.status, package.attention) == ("FAILED", Attention.BOOKING_FAILED)
    assert order_cover(order).state == "failed"
    assert package.customer_token_id == ""
    with pytest.raises(exceptions.TooLateToPay):
        dual_payment.use_token(order, "another-token")


def test_a_booking_that_failed_unseen_is_not_posted_again(
    order: Order, monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox
) -> None:
    dual_payment.use_token(order, TOKEN)
    completion.complete(order, paid=True)
    sandbox.faults.add("create_booking", "reset", times=9)
    work()
    posts = len(sandbox.calls("create_booking"))
    fail_bookings(monkeypatch)
    operations.retry(the_operation())
    work()

    assert len(sandbox.calls("create_booking")) == posts
    assert the_package().attention == Attention.BOOKING_FAILED


def test_a_token_that_comes_after_the_payment_still_goes_along(
    order: Order, bodies: list[dict[str, Any]], sandbox: Sandbox
) -> None:
    completion.complete(order, paid=True)
    dual_payment.use_token(order, TOKEN)

    work()

    assert [body["customer_token_id"] for body in bodies] == [TOKEN]
    assert the_package().status == "CONFIRMED"


def test_a_worker_that_has_just_read_the_old_body_does_not_send_it(
    order: Order, monkeypatch: pytest.MonkeyPatch, bodies: list[dict[str, Any]]
) -> None:
    completion.complete(order, paid=True)

    def token_comes_first(*args: Any, **facts: Any) -> bool:
        monkeypatch.setattr(lease, "transition", transition)
        dual_payment.use_token(order, TOKEN)
        return transition(*args, **facts)

    monkeypatch.setattr(lease, "transition", token_comes_first)
    work()
    assert bodies == []
    work()

    assert [body["customer_token_id"] for body in bodies] == [TOKEN]


def test_a_card_that_was_entered_wrongly_is_replaced_before_the_booking_begins(
    order: Order, bodies: list[dict[str, Any]]
) -> None:
    completion.complete(order, paid=True)
    dual_payment.use_token(order, "another-token")
    dual_payment.use_token(order, TOKEN)

    work()

    assert [body["customer_token_id"] for body in bodies] == [TOKEN]


def test_the_token_is_at_the_top_of_the_booking_and_forgotten_afterwards(
    order: Order, bodies: list[dict[str, Any]]
) -> None:
    dual_payment.use_token(the_package(), TOKEN, email="ana@example.com")
    completion.complete(order, paid=True)

    work()

    assert bodies[0]["customer_token_id"] == TOKEN
    assert bodies[0]["policyholder"]["email"] == "ana@example.com"
    assert TOKEN not in everything_stored()


def test_with_a_token_nothing_is_booked_before_the_order_is_paid(
    shopper: Shopper, shop: Shop, bodies: list[dict[str, Any]]
) -> None:
    shopper.says(yes=True)
    dual_payment.use_token(the_package(), TOKEN)
    order = shop.order(pays_later=True)
    completion.complete(order, shopper.cart, paid=False)
    work()
    assert bodies == []

    completion.complete(order, paid=True)
    work()

    assert "require_payment_confirmation" not in bodies[0]
    assert the_package().status == "CONFIRMED"


@pytest.fixture
def by_xcover(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the shop say that XCover charges the cover of its orders."""
    monkeypatch.setattr(Adapter, "charged_by_xcover", lambda self, order: True)


@pytest.mark.usefixtures("by_xcover")
def test_cover_that_xcover_is_to_charge_is_not_booked_without_a_card(
    order: Order, sandbox: Sandbox
) -> None:
    completion.complete(order, paid=True)
    work()

    assert sandbox.calls("create_booking") == []
    assert the_operation().state == OperationState.NEEDS_PERSON
    assert "has no card yet" in the_operation().error["message"]
    assert order_cover(order).card == CardState.WANTED

    dual_payment.use_token(order, TOKEN)
    work()

    assert the_package().status == "CONFIRMED"
    assert [charge.token for charge in sandbox.xpay.charges] == [TOKEN]


@pytest.mark.usefixtures("by_xcover")
def test_a_declined_card_is_told_and_another_one_is_charged_once(
    order: Order, sandbox: Sandbox
) -> None:
    assert order_cover(order).card == CardState.WANTED
    dual_payment.use_token(order, DECLINED)
    assert order_cover(order).card == CardState.GIVEN
    completion.complete(order, paid=True)
    work()

    assert order_cover(order).card == CardState.REFUSED
    policy = policy_rows().get()
    assert details(policy).card == CardState.REFUSED
    assert sandbox.xpay.charges == []

    dual_payment.use_token(order, TOKEN)
    assert order_cover(order).card == CardState.GIVEN
    work()

    assert order_cover(order).card == CardState.NOT_NEEDED
    assert order_cover(order).state == "booked"
    (charge,) = sandbox.xpay.charges
    assert (charge.token, charge.amount) == (TOKEN, the_package().total_price)


@pytest.mark.usefixtures("by_xcover")
def test_a_booking_that_never_arrived_is_not_called_a_declined_card(
    order: Order, sandbox: Sandbox
) -> None:
    dual_payment.use_token(order, TOKEN)
    completion.complete(order, paid=True)
    sandbox.faults.add("create_booking", "reset", times=9)
    sandbox.faults.add("get_quote", "status", status=403, times=9)
    for _attempt in range(5):
        operations.retry(the_operation())
        work()

    assert order_cover(order).card == CardState.GIVEN


@pytest.mark.usefixtures("by_xcover")
def test_an_abandoned_payment_is_neither_booked_nor_charged(order: Order, sandbox: Sandbox) -> None:
    dual_payment.use_token(order, TOKEN)
    work()

    assert sandbox.calls("create_booking") == []
    assert sandbox.xpay.charges == []


@pytest.mark.usefixtures("by_xcover")
def test_a_token_reaches_no_log_no_broker_and_no_exception(
    order: Order, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(
        "celery.app.task.Task.apply_async",
        lambda self, *args, **kwargs: sent.append((args, kwargs)),
    )
    with caplog.at_level(logging.DEBUG):
        dual_payment.use_token(order, DECLINED)
        completion.complete(order, paid=True)
        work()
        with pytest.raises(exceptions.EmailDiffers) as refused:
            dual_payment.use_token(order, TOKEN, email="Ana@example.com")

    texts = caplog.text + repr(sent) + repr(refused.value) + str(the_operation().error)
    assert TOKEN not in texts
    assert DECLINED not in texts


def fail_bookings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let XCover answer that the booking failed, now and whenever it is asked."""
    get_quote = XCoverClient.get_quote

    def failed(self: XCoverClient, package_id: str, *args: Any, **options: Any) -> Any:
        answer = get_quote(self, package_id)
        answer["status"] = "FAILED"
        for quote in answer["quotes"].values():
            quote["status"] = "FAILED"
        return answer

    monkeypatch.setattr(XCoverClient, "create_booking", failed)
    monkeypatch.setattr(XCoverClient, "get_quote", failed)
