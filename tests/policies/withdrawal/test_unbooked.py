"""Withdrawing from cover that is agreed and not booked counts at once, and the money is owed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import mail

from django_xcover import cover, signals, worker
from django_xcover.booking import booking
from django_xcover.client import XCoverClient
from django_xcover.client.schemas.packages import PackageAnswer
from django_xcover.clients import factory
from django_xcover.exceptions import AlreadyCancelled, NotInForce
from django_xcover.models import (
    Attention,
    Cancellation,
    Decision,
    Flag,
    Operation,
    OperationKind,
    OperationState,
    OrderEvent,
    Quote,
    QuotePackage,
    Status,
    Withdrawal,
)
from django_xcover.orders import cancellation as with_orders
from django_xcover.policies import record_refund
from django_xcover.policies import withdrawal as withdrawing
from django_xcover.policies.cancellation import outcome, requests
from django_xcover.sandbox import Sandbox
from django_xcover.support import flag_texts, give_up
from django_xcover.support.follow_ups import AWAITS_REFUND
from django_xcover.types import Money
from tests import completion
from tests.conftest import Shopper, resolve_flags, the_package, work
from tests.policies.withdrawal.support import (
    cancels,
    let_time_pass,
    prepared,
    states,
    the_booking,
)
from tests.shop import Order, Shop, laptop, ticket

pytestmark = pytest.mark.django_db
State = Cancellation.State


@pytest.fixture
def order(shop: Shop) -> Order:
    return shop.order()


@pytest.fixture
def accepted(shopper: Shopper) -> Shopper:
    """Return a shopper who has said yes to cover of tickets and of a laptop."""
    shopper.cart = shopper.cart.but(items=(ticket(), laptop()))
    shopper.says(yes=True, line=0)
    shopper.says(yes=True, line=1)
    return shopper


@pytest.fixture
def paid(accepted: Shopper, order: Order) -> QuotePackage:
    """Return the package of a paid order whose booking has not begun."""
    completion.complete(order, accepted.cart, paid=True)
    return the_package()


@pytest.fixture
def unpaid(accepted: Shopper, order: Order) -> QuotePackage:
    """Return the package of an order whose money has not come, so that nothing is booked."""
    completion.complete(order, accepted.cart, paid=False)
    return the_package()


@pytest.fixture
def pending(accepted: Shopper, shop: Shop) -> QuotePackage:
    """Return a package that is booked and not paid for."""
    completion.complete(shop.order(pays_later=True), accepted.cart, paid=False)
    work()
    return the_package()


@pytest.fixture
def announced() -> Iterator[list[Cancellation]]:
    """Return the cancellations that `policy_cancelled` has announced."""
    heard: list[Cancellation] = []

    def hear(sender: type, cancellation: Cancellation, **kwargs: Any) -> None:
        heard.append(cancellation)

    signals.policy_cancelled.connect(hear)
    yield heard
    signals.policy_cancelled.disconnect(hear)


def line(reference: str) -> Quote:
    return Quote.objects.get(line_reference=reference)


def statuses() -> dict[str, str]:
    return dict(Quote.objects.values_list("line_reference", "status"))


def price_of(*references: str) -> Money:
    prices = [line(reference).price for reference in references]
    return Money(sum(prices[1:], prices[0]), the_package().currency)


def the_flag() -> Flag:
    return Flag.objects.open().get()


def is_owed(cancellation: Cancellation, refund: Money) -> None:
    """Assert that staff find it among the refunds to be made, with this amount."""
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.refund) == (State.CONFIRMED, refund)
    assert cancellation in Cancellation.objects.filter(AWAITS_REFUND)


# Nothing was sent yet.


def test_cover_that_is_paid_and_not_booked_is_withdrawn_from_at_once_and_never_booked(
    paid: QuotePackage,
    sandbox: Sandbox,
    announced: list[Cancellation],
    caplog: pytest.LogCaptureFixture,
    django_capture_on_commit_callbacks: Any,
) -> None:
    draft = prepared(paid)
    with django_capture_on_commit_callbacks(execute=True):
        stated = states(draft, name="Ana Costa", email="ana@example.net")
    work()

    assert stated == Withdrawal.objects.get()
    assert "Ana Costa" in stated.statement
    assert the_booking().state == OperationState.DISCARDED
    assert the_booking().request == {}
    assert sandbox.calls("create_booking") == sandbox.calls("cancel_booking") == []
    assert (cancels(), announced) == (0, [stated.cancellation])
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert "Order ORD-1" in caplog.text
    assert "ana@example.net" not in caplog.text
    assert cover.order_cover(Order()).state == "cancelled"


def test_the_receipt_and_the_refund_go_out_also_when_nothing_was_booked(
    paid: QuotePackage,
) -> None:
    stated = states(prepared(paid), email="ana@example.net")

    withdrawing.send_due(stated.pk)

    receipt, outcome = mail.outbox
    assert stated.statement in receipt.body
    assert "£" in outcome.body
    assert "insurer has cancelled" not in outcome.body


def test_name_and_address_on_record_are_those_of_the_booking_that_is_taken_back(
    paid: QuotePackage,
) -> None:
    stated = states(prepared(paid))

    assert (stated.name, stated.email) == ("Ana Rossi", "ana@example.com")


def test_a_refund_of_the_premium_is_recorded_like_any_other(paid: QuotePackage) -> None:
    stated = states(prepared(paid))

    record_refund(stated.cancellation, price_of("ticket", "laptop"), reference="re_1")

    assert not Cancellation.objects.filter(AWAITS_REFUND).exists()


def test_only_the_policy_that_is_withdrawn_from_is_left_out(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    stated = states(prepared(paid, line("ticket")))
    work()

    assert statuses() == {"ticket": "RECEIVED", "laptop": "CONFIRMED"}
    assert cancels() == 0
    is_owed(stated.cancellation, price_of("ticket"))
    assert Decision.objects.get(choice="withdrawn").quote == line("ticket")
    assert the_package().attention == ""


def test_a_booking_that_xcover_refused_and_a_person_has_is_taken_back(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    work()
    assert the_booking().state == OperationState.NEEDS_PERSON

    stated = states(prepared(paid))
    work()

    assert the_booking().state == OperationState.DISCARDED
    assert len(sandbox.calls("create_booking")) == 1
    is_owed(stated.cancellation, price_of("ticket", "laptop"))


@pytest.fixture
def in_parts(shopper: Shopper, shop: Shop, settings: Any) -> Money:
    """Order cover that is paid in instalments, and return the first one."""
    settings.XCOVER = {**settings.XCOVER, "OFFER_INSTALMENTS": True}
    shopper.cart = shopper.cart.but(items=(laptop(),))
    (plan, *_others) = shopper.sees().quotes[0].plans
    shopper.says(yes=True, plan=plan.name)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return plan.first


def test_a_first_instalment_is_what_comes_back_where_it_is_all_that_was_charged(
    in_parts: Money,
) -> None:
    is_owed(states(prepared(the_package())).cancellation, in_parts)


def test_a_payment_that_is_not_settled_yet_is_not_taken_for_none(unpaid: QuotePackage) -> None:
    OrderEvent.objects.create(order_reference=unpaid.order_reference, kind=OrderEvent.Kind.PAID)

    states(prepared(unpaid))
    work()

    assert Cancellation.objects.get().total_refund is None
    assert the_flag().reason == Attention.REFUND_UNCLEAR


def test_a_premium_that_is_not_known_any_more_is_brought_before_a_person(in_parts: Money) -> None:
    Quote.objects.update(payload={})

    stated = states(prepared(the_package()))

    assert stated.cancellation.refund is None
    assert the_package().attention == Attention.REFUND_UNCLEAR


@pytest.mark.parametrize(("sent", "refund"), [(False, 0), (True, None)])
def test_what_xcover_charges_itself_was_not_charged_before_it_was_booked(
    paid: QuotePackage, sandbox: Sandbox, sent: bool, refund: int | None
) -> None:
    QuotePackage.objects.update(customer_token_id="token")
    if sent:
        sandbox.faults.add("create_booking", "reset", times=5)
        work()

    stated = states(prepared(paid))
    let_time_pass()
    work()

    stated.cancellation.refresh_from_db()
    assert stated.cancellation.total_refund == refund
    assert the_package().attention == ("" if refund == 0 else Attention.REFUND_UNCLEAR)


# The same again.


def test_the_same_statement_from_another_tab_is_the_first_one(
    paid: QuotePackage, announced: list[Cancellation], django_capture_on_commit_callbacks: Any
) -> None:
    one, other = prepared(paid), prepared(paid)

    with django_capture_on_commit_callbacks(execute=True):
        first = states(one)
        assert states(one) == states(other) == first

    assert Withdrawal.objects.count() == len(announced) == 1


def test_a_second_tab_with_more_policies_withdraws_from_the_rest(paid: QuotePackage) -> None:
    both, one = prepared(paid), prepared(paid, line("ticket"))
    first = states(one)

    rest = states(both)

    assert list(rest.cancellation.quotes.all()) == [line("laptop")]
    assert line("ticket").quote_id not in rest.statement
    is_owed(first.cancellation, price_of("ticket"))
    is_owed(rest.cancellation, price_of("laptop"))


def test_a_draft_made_before_the_booking_is_cancelled_at_xcover_when_it_is_booked_by_then(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    draft = prepared(paid)
    work()

    stated = states(draft)
    work()

    assert set(statuses().values()) == {Status.CANCELLED}
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert len(sandbox.calls("cancel_booking")) == 1


def test_an_order_that_the_shop_has_cancelled_is_over(paid: QuotePackage, order: Order) -> None:
    draft = prepared(paid)
    with_orders.cancel_order(order)

    with pytest.raises(AlreadyCancelled):
        states(draft)
    with pytest.raises(AlreadyCancelled):
        prepared(paid)


def test_an_order_that_the_shop_cancels_afterwards_changes_nothing(
    paid: QuotePackage, order: Order
) -> None:
    stated = states(prepared(paid))
    with_orders.cancel_order(order)
    work()

    assert Cancellation.objects.get() == stated.cancellation


# What is no contract.


def test_an_offer_that_was_not_taken_is_nothing_to_withdraw_from(
    shopper: Shopper, order: Order
) -> None:
    shopper.says(yes=False)
    completion.complete(order, shopper.cart, paid=True)

    with pytest.raises(NotInForce):
        prepared(the_package())


def test_a_yes_that_is_not_ordered_is_nothing_to_withdraw_from(shopper: Shopper) -> None:
    shopper.says(yes=True)

    with pytest.raises(NotInForce):
        prepared(the_package())


# The booking is under way.


def during_the_call(monkeypatch: pytest.MonkeyPatch, call: Callable[[], object]) -> None:
    complete = booking._complete

    def meanwhile(*args: Any) -> PackageAnswer:
        call()
        return complete(*args)

    monkeypatch.setattr(booking, "_complete", meanwhile)


def test_a_statement_made_during_the_call_is_carried_out_as_soon_as_the_policy_exists(
    paid: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def states_it() -> None:
        states(prepared(paid))
        worker.run(Operation.objects.get(kind=OperationKind.CANCEL).pk)
        assert sandbox.calls("cancel_booking") == [], "the booking goes first"

    during_the_call(monkeypatch, states_it)
    work()
    stated = Withdrawal.objects.get()
    assert (stated.cancellation.state, cancels()) == (State.REQUESTED, 1)
    work()

    assert set(statuses().values()) == {Status.CANCELLED}
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert the_package().attention == ""


def test_a_policy_that_xcover_left_out_comes_back_with_the_one_that_it_cancelled(
    paid: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    during_the_call(monkeypatch, lambda: states(prepared(paid)))
    work()
    work()

    assert sorted(statuses().values()) == ["CANCELLED", "RECEIVED"]
    is_owed(Cancellation.objects.get(), price_of("ticket", "laptop"))


def test_a_worker_that_has_the_booking_and_has_not_called_yet_does_not_call(
    paid: QuotePackage,
    sandbox: Sandbox,
    announced: list[Cancellation],
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: Any,
) -> None:
    client_for = factory.client_for

    def stated_meanwhile(account: str) -> XCoverClient:
        monkeypatch.setattr(factory, "client_for", client_for)
        states(prepared(paid))
        return client_for(account)

    monkeypatch.setattr(factory, "client_for", stated_meanwhile)
    work()
    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert sandbox.calls("create_booking") == []
    assert the_booking().state == OperationState.DISCARDED
    assert the_booking().error["message"] == "The customer has withdrawn."
    assert announced == [Cancellation.objects.get()]
    is_owed(announced[0], price_of("ticket", "laptop"))


@pytest.mark.parametrize("happened", [True, False])
@pytest.mark.parametrize("state", [OperationState.PENDING, OperationState.NEEDS_PERSON])
def test_a_booking_of_unknown_outcome_is_read_and_the_money_is_owed_either_way(
    paid: QuotePackage, sandbox: Sandbox, state: OperationState, happened: bool
) -> None:
    sandbox.faults.add("create_booking", "process_then_reset" if happened else "reset", times=5)
    work()
    posts = len(sandbox.calls("create_booking"))
    Operation.objects.update(state=state)

    stated = states(prepared(paid))
    work()
    assert stated.cancellation.state == State.REQUESTED, "a call may still be under way"
    let_time_pass()
    work()

    assert len(sandbox.calls("create_booking")) == posts
    assert set(statuses().values()) == {Status.CANCELLED if happened else Status.RECEIVED}
    is_owed(stated.cancellation, price_of("ticket", "laptop"))
    assert not Operation.objects.unfinished().exists()


def test_a_policy_in_force_and_one_that_was_never_booked_are_one_statement(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    work()
    assert sorted(statuses().values()) == ["CONFIRMED", "RECEIVED"]

    stated = states(prepared(paid))
    work()

    assert sorted(statuses().values()) == ["CANCELLED", "RECEIVED"]
    is_owed(stated.cancellation, price_of("ticket", "laptop"))


def test_a_premium_that_staff_may_have_returned_is_not_owed_a_second_time(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    work()
    resolve_flags(the_package(), note="The premium of the missing policy was refunded.")
    missing = Quote.objects.get(status=Status.RECEIVED)

    stated = states(prepared(paid, missing))

    assert stated.cancellation.refund is None
    assert the_package().attention == Attention.REFUND_UNCLEAR
    what, to_do = flag_texts.about(the_flag(), the_package(), list(Quote.objects.all()))
    assert missing.policy_name in what
    assert "whether the premium was returned" in to_do


def test_a_premium_that_was_returned_with_the_booking_given_up_is_not_owed_a_second_time(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    work()
    give_up.give_up(the_booking(), note="Refunded by hand.")

    stated = states(prepared(paid))

    assert stated.cancellation.refund is None
    assert the_package().attention == Attention.REFUND_UNCLEAR


def test_a_premium_that_staff_are_asked_to_return_is_owed_and_compared_by_a_person(
    paid: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "missing_policy", how="absent")
    work()
    missing = Quote.objects.get(status=Status.RECEIVED)

    stated = states(prepared(paid, missing))

    is_owed(stated.cancellation, Money(missing.price, paid.currency))
    reasons = set(the_package().flags.open().values_list("reason", flat=True))
    assert reasons == {Attention.POLICY_MISSING, Attention.REFUND_UNCLEAR}


# The money has not come.


@pytest.mark.parametrize("kind", ["unpaid", "pending"])
def test_cover_that_is_not_paid_is_withdrawn_from_and_nothing_is_owed(
    kind: str, request: pytest.FixtureRequest, sandbox: Sandbox
) -> None:
    stated = states(prepared(request.getfixturevalue(kind)))
    work()

    assert (stated.cancellation.state, stated.cancellation.refund) == (
        State.CONFIRMED,
        Money(price_of("ticket").amount * 0, "GBP"),
    )
    assert not Cancellation.objects.filter(AWAITS_REFUND).exists()
    assert sandbox.calls("confirm_booking") == []


@pytest.mark.parametrize("kind", ["unpaid", "pending"])
def test_money_that_comes_after_the_statement_books_nothing_and_alerts_a_person(
    kind: str, request: pytest.FixtureRequest, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    states(prepared(request.getfixturevalue(kind)))
    completion.complete(Order(), paid=True)
    work()

    assert sandbox.calls("confirm_booking") == []
    assert the_package().attention == Attention.PAID_IN_VAIN
    assert "Order ORD-1 was paid after its cover was cancelled" in caplog.text


def test_money_that_comes_for_a_part_that_was_withdrawn_from_alerts_a_person(
    unpaid: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    states(prepared(unpaid, line("ticket")))
    completion.complete(Order(), paid=True)
    completion.complete(Order(), paid=True)
    work()

    assert statuses() == {"ticket": "RECEIVED", "laptop": "CONFIRMED"}
    assert the_package().attention == Attention.PAID_IN_VAIN
    assert caplog.text.count("Order ORD-1 was paid after part of its cover was withdrawn") == 1


@pytest.mark.parametrize("by_customer", [True, False])
def test_the_true_reason_is_given_for_what_is_cancelled_behind_a_late_payment(
    pending: QuotePackage, order: Order, sandbox: Sandbox, by_customer: bool
) -> None:
    if by_customer:
        states(prepared(pending, line("ticket")))
    else:
        with_orders.cancel_order(order, ["ticket"])
    completion.complete(order, paid=True)
    work()
    work()

    assert len(sandbox.calls("cancel_booking")) == 1
    why = "The customer has withdrawn." if by_customer else "The order was cancelled."
    assert Cancellation.objects.get(origin=Cancellation.Origin.SHOP).reason == why


@pytest.mark.parametrize("origin", Cancellation.Origin)
def test_a_booking_that_is_read_and_not_found_is_discarded_for_the_reason_of_its_cancellation(
    paid: QuotePackage, order: Order, sandbox: Sandbox, origin: Cancellation.Origin
) -> None:
    sandbox.faults.add("create_booking", "reset", times=5)
    work()
    Operation.objects.update(state=OperationState.NEEDS_PERSON)
    if origin == Cancellation.Origin.SHOP:
        with_orders.cancel_order(order)
    elif origin == Cancellation.Origin.SHOPPER:
        states(prepared(paid))
    else:
        requests.enqueue(paid, paid.quotes.all(), origin=origin)
    let_time_pass()
    work()

    why = {"shop": "The order was", "shopper": "The customer has", "staff": "The cover was"}
    assert the_booking().error["message"].startswith(why[origin])


def test_a_yes_taken_back_names_no_reason_that_may_be_wrong(paid: QuotePackage) -> None:
    states(prepared(paid))

    assert line("ticket").get_choice_display() == "taken back before it was booked"


def test_a_line_that_the_shop_itself_took_out_alerts_nobody_when_the_rest_is_paid(
    unpaid: QuotePackage, order: Order
) -> None:
    with_orders.cancel_order(order, ["ticket"])
    completion.complete(order, paid=True)

    assert the_package().attention == ""


def test_a_payment_that_waits_to_be_confirmed_is_stopped_and_owed(
    pending: QuotePackage, sandbox: Sandbox
) -> None:
    completion.complete(Order(), paid=True)
    stated = states(prepared(pending))
    work()

    assert sandbox.calls("confirm_booking") == []
    is_owed(stated.cancellation, price_of("ticket", "laptop"))


def test_one_policy_of_a_booking_that_is_being_confirmed_is_cancelled_right_behind(
    pending: QuotePackage,
) -> None:
    completion.complete(Order(), paid=True)
    stated = states(prepared(pending, line("ticket")))
    work()
    work()

    assert statuses() == {"ticket": "CANCELLED", "laptop": "CONFIRMED"}
    is_owed(stated.cancellation, price_of("ticket"))
    assert Cancellation.objects.count() == 1


def test_cover_that_is_booked_after_all_is_refunded_twice_by_no_machine(
    paid: QuotePackage,
) -> None:
    """XCover books what it seemed not to have, and refunds what the shop returns already."""
    first = states(prepared(paid)).cancellation
    package = the_package()
    second = requests.create(
        package, package.quotes.all(), state=State.REQUESTED, origin=first.origin, reason=""
    )

    outcome.conclude(package, second, {"total_refund": first.total_refund})

    assert the_package().attention == Attention.REFUND_UNCLEAR
