"""Cancelling what was booked: refusals with a sentence, money to the cent, never twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import signals
from django_xcover.client import XCoverError
from django_xcover.models import (
    Attention,
    Cancellation,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
)
from django_xcover.models.operation import new_idempotency_key
from django_xcover.sandbox import Sandbox
from django_xcover.services import (
    cancelling,
    gateway,
    mirroring,
    modifying,
    operations,
    orders,
    refreshing,
    running,
)
from django_xcover.services.card_numbers import CardNumberSent
from django_xcover.types import Money
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop, laptop, ticket

pytestmark = pytest.mark.django_db

SHOPPER, STAFF = Cancellation.Origin.SHOPPER, Cancellation.Origin.STAFF
State = Cancellation.State
NOT_CANCELLABLE = "This cover cannot be cancelled."
NOT_IN_FORCE = "This cover is not in force yet, so there is nothing to cancel."
ENDED = "This cover has ended, so it can no longer be cancelled."
CANCELLED = "This cover has already been cancelled."
BEING_CANCELLED = "This cover is already being cancelled."
EXPIRED = "The refund you were shown is no longer valid. Please look at it again."

Buy = Callable[..., QuotePackage]


@pytest.fixture
def buy(shopper: Shopper, shop: Shop) -> Buy:
    """Return a maker of booked packages, with a policy for each item."""

    def buy(*items: Any, **cart: Any) -> QuotePackage:
        shopper.cart = shopper.cart.but(items=items or (ticket(),), **cart)
        for line in range(len(shopper.cart.items)):
            shopper.says(yes=True, line=line)
        orders.complete(shop.order(), shopper.cart, paid=True)
        work()
        return the_package()

    return buy


@pytest.fixture
def booked(buy: Buy) -> QuotePackage:
    """Return a booking with one policy."""
    return buy()


@pytest.fixture
def pair(buy: Buy) -> QuotePackage:
    """Return a booking with two policies: of tickets, and of a laptop."""
    return buy(ticket(), laptop())


@pytest.fixture
def announced() -> Iterator[list[Cancellation]]:
    """Return the cancellations that `policy_cancelled` has announced."""
    heard: list[Cancellation] = []

    def hear(sender: type, cancellation: Cancellation, **kwargs: Any) -> None:
        heard.append(cancellation)

    signals.policy_cancelled.connect(hear)
    yield heard
    signals.policy_cancelled.disconnect(hear)


def preview(package: QuotePackage, **facts: Any) -> Cancellation:
    return cancelling.preview(package, origin=SHOPPER, **facts)


def the_cancellation() -> Cancellation:
    return Cancellation.objects.get()


def the_cancel() -> Operation:
    return Operation.objects.get(kind=OperationKind.CANCEL)


def status_at(sandbox: Sandbox) -> str:
    return str(sandbox.package(the_package().package_id)["status"])


def cancel_elsewhere(*quote_ids: str) -> None:
    body = {"quotes": [{"id": key} for key in quote_ids]} if quote_ids else {}
    gateway.client_for("default").cancel_booking(
        the_package().package_id, body, idempotency_key=new_idempotency_key()
    )


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


# Refusals before anything is asked of XCover.


def test_what_is_not_booked_yet_is_not_cancelled(shopper: Shopper, sandbox: Sandbox) -> None:
    shopper.says(yes=True)

    with pytest.raises(cancelling.NotInForce, match=f"^{NOT_IN_FORCE}$"):
        preview(the_package())

    assert sandbox.calls("cancel_booking") == []


def test_a_booking_that_waits_for_its_payment_is_not_cancelled(
    shopper: Shopper, shop: Shop
) -> None:
    shopper.says(yes=True)
    orders.complete(shop.order(pays_later=True), shopper.cart, paid=False)
    work()

    with pytest.raises(cancelling.NotInForce, match=f"^{NOT_IN_FORCE}$"):
        preview(the_package())


def test_cover_that_has_ended_is_not_cancelled(booked: QuotePackage) -> None:
    Quote.objects.update(policy_end_date=timezone.now())

    with pytest.raises(cancelling.CoverEnded, match=f"^{ENDED}$"):
        preview(booked)


def test_a_policy_of_another_booking_is_not_cancelled_with_this_one(booked: QuotePackage) -> None:
    other = QuotePackage.objects.get()
    other.pk, other.package_id = None, "OTHER-PACKA-INS"
    other.save(force_insert=True)

    with pytest.raises(cancelling.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(other, quotes=list(booked.quotes.all()))


def test_a_stored_no_is_read_again_before_it_is_believed(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    Quote.objects.update(can_be_cancelled=False)

    assert preview(booked).state == State.PREVIEWED
    assert len(sandbox.calls("get_booking")) == 1


def test_a_no_that_xcover_repeats_is_a_refusal(
    booked: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    Quote.objects.update(can_be_cancelled=False)
    monkeypatch.setattr(mirroring, "apply_answer", lambda package, answer: None)

    with pytest.raises(cancelling.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(booked)

    assert sandbox.calls("cancel_booking") == []


def test_what_may_be_cancelled_of_a_whole_booking_leaves_out_what_may_not(
    pair: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    Quote.objects.filter(line_reference="ticket").update(can_be_cancelled=False)
    monkeypatch.setattr(mirroring, "apply_answer", lambda package, answer: None)

    found = preview(pair)

    assert [quote.line_reference for quote in found.quotes.all()] == ["laptop"]


# Refusals of XCover's.


def test_a_preview_of_what_was_cancelled_elsewhere_says_so_and_mends_the_mirror(
    booked: QuotePackage,
) -> None:
    cancel_elsewhere()

    with pytest.raises(cancelling.AlreadyCancelled, match=f"^{CANCELLED}$"):
        preview(booked)

    assert the_package().status == "CANCELLED"
    assert not Cancellation.objects.exists()


def test_a_preview_that_xcover_refuses_is_a_sentence(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    body = {"type": "validation_error", "errors": ["Quote can not be cancelled"]}
    sandbox.faults.add("cancel_booking", "status", status=422, body=body)

    with pytest.raises(cancelling.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(booked)


def test_a_preview_that_xcover_refuses_is_a_sentence_even_when_it_cannot_be_read_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("cancel_booking", "status", status=422, body={"errors": ["No"]})
    sandbox.faults.add("get_booking", "status", status=500, times=None)

    with pytest.raises(cancelling.NotCancellable, match=f"^{NOT_CANCELLABLE}$"):
        preview(booked)


def test_an_xcover_that_is_away_raises_its_own_error_and_leaves_no_row(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("cancel_booking", "hang", times=None)

    with pytest.raises(XCoverError):
        preview(booked)

    assert not Cancellation.objects.exists()


def test_an_answer_without_an_id_is_not_taken_for_a_preview(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    body = {"id": booked.package_id, "status": "CANCELLED", "currency": "GBP", "quotes": []}
    sandbox.faults.add("cancel_booking", "status", status=200, body=body)

    with pytest.raises(XCoverError, match="cancellation_id"):
        preview(booked)


@pytest.mark.parametrize(
    ("status", "errors"),
    [
        (422, ["Quote can not be cancelled"]),
        (422, {"preview": "Unexpected field"}),
        (404, None),
    ],
)
def test_a_refused_confirmation_settles_the_row_and_tells_a_person(
    booked: QuotePackage, sandbox: Sandbox, status: int, errors: Any
) -> None:
    sandbox.faults.add("confirm_cancellation", "status", status=status, body={"errors": errors})
    cancelling.request(preview(booked))

    work()

    assert the_cancellation().state == State.REFUSED
    assert cancelling.refusal_of(the_cancellation()) == NOT_CANCELLABLE
    assert the_cancel().state == OperationState.DISCARDED
    assert the_cancel().error["status"] == status
    assert the_package().attention == Attention.CANCELLATION_REFUSED
    assert the_package().status == "CONFIRMED"


def test_credentials_that_are_not_accepted_are_no_refusal_of_the_cancellation(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("confirm_cancellation", "status", status=403)
    cancelling.request(preview(booked))

    work()

    assert the_cancellation().state == State.REQUESTED
    assert the_cancel().state == OperationState.NEEDS_PERSON


def test_a_refused_cancellation_holds_up_nothing(booked: QuotePackage, sandbox: Sandbox) -> None:
    sandbox.faults.add("confirm_cancellation", "status", status=422)
    cancelling.request(preview(booked))
    work()
    cancelling.request(preview(booked))

    work()

    assert the_package().status == "CANCELLED"
    states = Cancellation.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [State.REFUSED, State.CONFIRMED]


# The preview.


def test_a_preview_touches_neither_package_nor_policies(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    found = preview(booked, reason="Changed my mind")

    assert (the_package().status, Quote.objects.get().status) == ("CONFIRMED", "CONFIRMED")
    assert the_package().total_price == booked.total_price
    assert found.payload["status"] == "CANCELLED"
    assert found.cancellation_id.endswith("-CCL")
    assert (found.state, found.origin, found.reason) == ("previewed", "shopper", "Changed my mind")
    assert status_at(sandbox) == "CONFIRMED"


def test_a_preview_shows_refund_cooling_off_and_deadline_of_each_policy(
    pair: QuotePackage,
) -> None:
    found = preview(pair)

    lines = cancelling.lines_of(found)
    prices = [quote.cost for quote in pair.quotes.order_by("position")]
    assert [line.refund for line in lines] == prices
    assert [line.label for line in lines] == ["Harbour Lights Festival", "Aero 14"]
    now = timezone.now()
    assert [
        round((line.cooling_off_until - now).days / 7) for line in lines if line.cooling_off_until
    ] == [2, 4]
    assert found.refund == Money(pair.total_price, "GBP")
    assert found.confirm_before is not None
    assert timedelta(hours=23) < found.confirm_before - now <= timedelta(hours=24)


def test_the_adjustment_fee_is_shown_and_not_taken_off(booked: QuotePackage) -> None:
    line = cancelling.lines_of(preview(booked))[0]

    assert line.adjustment_fee is not None
    assert line.adjustment_fee.amount > 0
    assert line.refund == line.price


def test_no_personal_data_and_no_link_is_kept_with_a_cancellation(booked: QuotePackage) -> None:
    kept = str(preview(booked).payload)

    assert "ana@example.com" not in kept
    assert "security_token" not in kept


# Confirming.


def test_an_expired_preview_is_not_confirmed(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = preview(booked)
    Cancellation.objects.update(confirm_before=timezone.now())

    for _attempt in range(2):
        with pytest.raises(cancelling.PreviewExpired, match=f"^{EXPIRED}$"):
            cancelling.request(found)

    assert the_cancellation().state == State.EXPIRED
    assert cancelling.refusal_of(the_cancellation()) == EXPIRED
    assert not Operation.objects.filter(kind=OperationKind.CANCEL).exists()


def test_a_preview_that_expired_at_xcover_before_the_worker_came_is_expired_here(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancelling.request(preview(booked))
    sandbox.clock.advance(hours=25)
    Cancellation.objects.update(confirm_before=timezone.now())

    work()

    assert the_cancellation().state == State.EXPIRED
    assert the_package().attention == Attention.CANCELLATION_REFUSED


@pytest.mark.parametrize("made", [True, False])
def test_a_preview_from_before_a_change_of_price_is_expired(buy: Buy, made: bool) -> None:
    package = buy(laptop())
    found = preview(package)
    change = modifying.quote_change(
        package,
        quote=package.quotes.get(),
        update_fields={"price": Decimal(1500)},
        origin="shopper",
    )
    if made:
        modifying.settle(change)
        work()
        with pytest.raises(cancelling.PreviewExpired, match=f"^{EXPIRED}$"):
            cancelling.request(found)
    else:
        cancelling.request(found)

    assert the_cancellation().state == (State.EXPIRED if made else State.REQUESTED)


def test_a_preview_confirmed_while_a_change_is_made_is_expired_by_xcovers_refusal(
    buy: Buy,
) -> None:
    package = buy(laptop())
    found = preview(package)
    change = modifying.quote_change(
        package,
        quote=package.quotes.get(),
        update_fields={"price": Decimal(1500)},
        origin="shopper",
    )
    modifying.settle(change)
    cancelling.request(found)

    work()

    assert the_package().total_price == change.price_after
    assert cancelling.refusal_of(the_cancellation()) == EXPIRED
    assert the_package().attention == Attention.CANCELLATION_REFUSED


def test_confirming_twice_cancels_once_and_says_so(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = preview(booked)
    cancelling.request(found)

    with pytest.raises(cancelling.BeingCancelled, match=f"^{BEING_CANCELLED}$"):
        cancelling.request(found)
    work()
    with pytest.raises(cancelling.AlreadyCancelled, match=f"^{CANCELLED}$"):
        cancelling.request(found)

    assert len(sandbox.calls("confirm_cancellation")) == 1


def test_of_two_previews_of_one_policy_only_one_is_confirmed(booked: QuotePackage) -> None:
    first, second = preview(booked), preview(booked)
    cancelling.request(first)

    with pytest.raises(cancelling.BeingCancelled, match=f"^{BEING_CANCELLED}$"):
        cancelling.request(second)
    work()
    with pytest.raises(cancelling.AlreadyCancelled, match=f"^{CANCELLED}$"):
        cancelling.request(second)


def test_what_is_cancelled_is_not_previewed_again(booked: QuotePackage) -> None:
    cancelling.request(preview(booked))
    with pytest.raises(cancelling.BeingCancelled, match=f"^{BEING_CANCELLED}$"):
        preview(booked)
    work()

    with pytest.raises(cancelling.AlreadyCancelled, match=f"^{CANCELLED}$"):
        preview(booked)


def test_a_confirmed_preview_cancels_here_and_at_xcover(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancelling.request(preview(booked))

    work()

    assert status_at(sandbox) == the_package().status == Quote.objects.get().status == "CANCELLED"
    assert the_package().total_price == 0
    assert Quote.objects.get().price == booked.total_price
    assert Quote.objects.get().can_be_cancelled is False
    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().confirmed_at is not None
    assert the_package().attention == ""


def test_the_shop_is_told_the_refund_once_after_the_commit(
    booked: QuotePackage,
    announced: list[Cancellation],
    django_capture_on_commit_callbacks: Any,
) -> None:
    cancelling.request(preview(booked))

    with django_capture_on_commit_callbacks(execute=True):
        work()
        assert announced == []
    work()

    assert [found.refund for found in announced] == [booked.total]


def test_a_refund_that_differs_from_the_one_shown_is_flagged_and_xcovers_counts(
    booked: QuotePackage,
) -> None:
    cancelling.request(preview(booked))
    Cancellation.objects.update(total_refund=Decimal("0.01"))

    work()

    assert the_cancellation().refund == booked.total
    assert the_package().attention == Attention.REFUND_UNCLEAR


# One policy of several.


def test_a_booking_stays_confirmed_until_all_its_policies_are_cancelled(
    pair: QuotePackage, sandbox: Sandbox
) -> None:
    tickets, computer = pair.quotes.order_by("position")

    cancelling.request(preview(pair, quotes=[tickets]))
    work()

    statuses = [quote.status for quote in pair.quotes.order_by("position")]
    assert (the_package().status, statuses) == ("CONFIRMED", ["CANCELLED", "CONFIRMED"])
    assert the_cancellation().refund == tickets.cost
    assert the_package().total == computer.cost

    cancelling.cancel_now(pair, quotes=[computer], origin=STAFF)
    work()

    assert status_at(sandbox) == the_package().status == "CANCELLED"


def test_the_rest_of_a_booking_is_what_is_left_of_it(pair: QuotePackage) -> None:
    tickets, computer = pair.quotes.order_by("position")
    cancelling.cancel_now(pair, quotes=[tickets], origin=STAFF)
    work()

    found = preview(pair)

    assert [quote.pk for quote in found.quotes.all()] == [computer.pk]
    assert found.refund == computer.cost


def test_naming_a_cancelled_policy_among_others_is_refused(pair: QuotePackage) -> None:
    tickets, computer = pair.quotes.order_by("position")
    cancelling.cancel_now(pair, quotes=[tickets], origin=STAFF)
    work()

    with pytest.raises(cancelling.AlreadyCancelled, match=f"^{CANCELLED}$"):
        preview(pair, quotes=[tickets, computer])


# At once.


def test_a_direct_cancellation_learns_the_refund_from_its_answer(
    booked: QuotePackage, announced: list[Cancellation], django_capture_on_commit_callbacks: Any
) -> None:
    cancelling.cancel_now(booked, origin=STAFF, reason="Goodwill")
    assert the_cancellation().refund is None

    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert [found.refund for found in announced] == [booked.total]
    assert the_cancellation().cancellation_id == ""


@pytest.mark.parametrize("direct", [True, False])
def test_the_reason_reaches_xcover(booked: QuotePackage, sandbox: Sandbox, direct: bool) -> None:
    _cancel(booked, direct=direct, reason="Goodwill " + "x" * 300)

    work()

    at_xcover = sandbox.package(booked.package_id)["quotes"][0]
    assert at_xcover["reason_for_cancellation"].startswith("Goodwill x")
    assert len(the_cancellation().reason) == 200


def test_a_card_number_in_the_reason_is_refused_and_not_stored(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    for ask in (cancelling.preview, cancelling.cancel_now):
        with pytest.raises(CardNumberSent) as refused:
            ask(booked, origin=SHOPPER, reason="Refund 4111 1111 1111 1111")
        assert "4111" not in str(refused.value)

    assert not Cancellation.objects.exists()
    assert sandbox.calls("cancel_booking") == []


def test_a_direct_cancellation_of_what_is_being_cancelled_is_refused(
    booked: QuotePackage,
) -> None:
    cancelling.cancel_now(booked, origin=STAFF)

    with pytest.raises(cancelling.BeingCancelled, match=f"^{BEING_CANCELLED}$"):
        cancelling.cancel_now(booked, origin=STAFF)


def test_what_was_cancelled_elsewhere_is_cancelled_with_an_unknown_refund(
    booked: QuotePackage, announced: list[Cancellation], django_capture_on_commit_callbacks: Any
) -> None:
    cancelling.request(preview(booked))
    cancel_elsewhere()

    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert the_package().status == "CANCELLED"
    assert the_package().attention == Attention.REFUND_UNCLEAR
    assert [found.refund for found in announced] == [None]
    assert cancelling.lines_of(the_cancellation())[0].refund is None


# Lost answers and dead workers.


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize(
    "fault", ["process_then_hang", "process_then_reset", "process_then_status"]
)
def test_an_answer_that_is_lost_after_the_cancellation_costs_neither_cover_nor_refund(
    booked: QuotePackage, sandbox: Sandbox, fault: str, direct: bool
) -> None:
    _cancel(booked, direct=direct)
    for name in ("cancel_booking", "confirm_cancellation"):
        sandbox.faults.add(name, fault, times=5, seconds=60, status=500)
    work()
    assert the_cancellation().state == State.REQUESTED
    let_time_pass()
    sandbox.faults.clear()
    work()

    assert status_at(sandbox) == the_package().status == "CANCELLED"
    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == booked.total
    assert the_package().attention == ""


@pytest.mark.parametrize("direct", [True, False])
@pytest.mark.parametrize("moment", ["before the call", "after the call", "while applying"])
def test_a_worker_that_dies_is_made_up_for(
    booked: QuotePackage,
    sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    direct: bool,
) -> None:
    class Killed(BaseException):
        pass

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    _cancel(booked, direct=direct)
    module, name = {
        "before the call": (gateway, "client_for"),
        "after the call": (operations, "finish"),
        "while applying": (mirroring, "apply_answer"),
    }[moment]
    with monkeypatch.context() as patched:
        patched.setattr(module, name, die)
        with pytest.raises(Killed):
            running.run(the_cancel().pk)
    let_time_pass()
    work()

    assert the_cancel().state == OperationState.DONE
    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == booked.total
    assert status_at(sandbox) == "CANCELLED"


@pytest.mark.parametrize("direct", [True, False])
def test_an_answer_lost_for_longer_than_xcover_remembers_keys_is_found_by_reading(
    booked: QuotePackage, sandbox: Sandbox, direct: bool
) -> None:
    _cancel(booked, direct=direct)
    for name in ("cancel_booking", "confirm_cancellation"):
        sandbox.faults.add(name, "process_then_reset", times=5)
    work()
    sandbox.faults.clear()
    sandbox.clock.advance(hours=49)
    let_time_pass()
    work()

    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == (None if direct else booked.total)
    assert the_package().attention == (Attention.REFUND_UNCLEAR if direct else "")


def test_a_repeat_reads_before_it_posts(booked: QuotePackage, sandbox: Sandbox) -> None:
    cancelling.cancel_now(booked, origin=STAFF)
    sandbox.faults.add("cancel_booking", "garbage")
    work()
    before = len(sandbox.calls())
    let_time_pass()
    work()

    names = [call.operation for call in sandbox.calls()][before:]
    assert names.index("get_quote") < names.index("cancel_booking")
    assert len({call.idempotency_key for call in sandbox.calls("cancel_booking")}) == 1


def test_a_booking_that_xcover_suddenly_does_not_know_is_not_taken_for_cancelled(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    cancelling.cancel_now(booked, origin=STAFF)
    sandbox.faults.add("cancel_booking", "reset", times=5)
    work()
    for name in ("get_quote", "cancel_booking"):
        sandbox.faults.add(name, "status", status=404, times=None)
    let_time_pass()
    work()

    assert the_cancellation().state == State.REFUSED
    assert the_package().attention == Attention.CANCELLATION_REFUSED


def test_an_answer_that_the_booking_does_not_show_is_looked_at_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    answer = {
        "id": booked.package_id,
        "status": "CANCELLED",
        "currency": "GBP",
        "total_refund": 1,
        "quotes": [],
    }
    cancelling.cancel_now(booked, origin=STAFF)
    sandbox.faults.add("cancel_booking", "status", status=200, body=answer)
    work()

    assert the_cancellation().state == State.REQUESTED
    assert the_package().status == "CONFIRMED"
    assert the_cancel().state == OperationState.PENDING

    let_time_pass()
    work()
    assert the_cancellation().refund == booked.total


def test_a_mirror_that_was_refreshed_first_is_no_surprise(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    _cancel(booked, direct=True)
    sandbox.faults.add("cancel_booking", "process_then_reset", times=5)
    work()
    sandbox.faults.clear()
    refreshing.refresh(booked)
    assert the_package().status == "CANCELLED"
    let_time_pass()
    work()

    assert the_cancellation().state == State.CONFIRMED
    assert the_cancellation().refund == booked.total
    assert the_package().attention == ""


def test_a_stuck_operation_that_waits_for_a_person_does_not_hold_up_a_cancellation(
    booked: QuotePackage,
) -> None:
    stuck = operations.enqueue(booked, OperationKind.SEND_EMAIL)
    Operation.objects.filter(pk=stuck.pk).update(state=OperationState.NEEDS_PERSON)
    cancelling.cancel_now(booked, origin=SHOPPER)

    running.run(the_cancel().pk)

    assert the_package().status == "CANCELLED"


# Money.


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_refunds_are_exact_in_every_currency(buy: Buy, sandbox: Sandbox, currency: str) -> None:
    package = buy(ticket(price="133"), laptop(price="977"), currency=currency)
    tickets = package.quotes.get(line_reference="ticket")

    found = preview(package)
    assert found.refund == package.total
    assert sum(line.refund.amount for line in cancelling.lines_of(found) if line.refund) == (
        package.total_price
    )
    cancelling.cancel_now(package, quotes=[tickets], origin=SHOPPER)
    work()

    done = Cancellation.objects.get(state=State.CONFIRMED)
    assert done.refund == tickets.cost
    assert the_package().total_price + tickets.price == package.total_price
    assert the_package().total_price == sandbox.package(package.package_id)["total_price"]


@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_after_cooling_off_the_refund_is_what_xcover_says(
    buy: Buy, sandbox: Sandbox, currency: str
) -> None:
    package = buy(laptop(price="977"), currency=currency)
    sandbox.clock.advance(days=200)

    found = preview(package)
    cancelling.request(found)
    work()

    assert found.refund is not None
    assert 0 < found.refund.amount < package.total_price
    assert the_cancellation().refund == found.refund
    decimals = {"GBP": 2, "JPY": 0, "KWD": 3}[currency]
    assert found.refund.amount == round(found.refund.amount, decimals)
    assert the_package().attention == ""


# Refunds recorded.


def test_a_refund_is_recorded_with_its_reference(booked: QuotePackage) -> None:
    found = preview(booked)
    cancelling.request(found)
    work()

    cancelling.record_refund(found, booked.total, reference="re_1")
    cancelling.record_refund(found, booked.total, reference="re_1")

    assert the_cancellation().refunded == booked.total_price
    assert the_cancellation().refund_reference == "re_1"
    assert the_cancellation().refunded_at is not None


@pytest.mark.parametrize(
    ("refund", "sentence"),
    [
        (Money(Decimal(1), "EUR"), "This refund cannot be recorded: the cover was paid in GBP."),
        (
            Money(Decimal(-1), "GBP"),
            "This refund cannot be recorded: the amount must not be below zero.",
        ),
        (
            Money(Decimal("NaN"), "GBP"),
            "This refund cannot be recorded: the amount must not be below zero.",
        ),
    ],
)
def test_a_refund_that_cannot_be_this_ones_is_not_recorded(
    booked: QuotePackage, refund: Money, sentence: str
) -> None:
    found = preview(booked)
    cancelling.request(found)
    work()

    with pytest.raises(cancelling.RefundNotRecorded) as refused:
        cancelling.record_refund(found, refund)

    assert str(refused.value) == sentence
    assert the_cancellation().refunded is None


def test_a_second_refund_is_not_recorded_over_the_first(booked: QuotePackage) -> None:
    found = preview(booked)
    cancelling.request(found)
    work()
    cancelling.record_refund(found, booked.total, reference="re_1")

    with pytest.raises(cancelling.RefundNotRecorded) as refused:
        cancelling.record_refund(found, booked.total, reference="re_2")

    told = "This refund cannot be recorded: another refund is recorded already."
    assert str(refused.value) == told
    assert the_cancellation().refund_reference == "re_1"


def test_a_refund_of_what_was_not_cancelled_is_not_recorded(booked: QuotePackage) -> None:
    found = preview(booked)
    Cancellation.objects.update(state=State.REFUSED)

    with pytest.raises(cancelling.RefundNotRecorded) as refused:
        cancelling.record_refund(found, booked.total)

    told = "This refund cannot be recorded: the cover was not cancelled."
    assert str(refused.value) == told


def _cancel(package: QuotePackage, *, direct: bool, **facts: Any) -> None:
    if direct:
        cancelling.cancel_now(package, origin=STAFF, **facts)
    else:
        cancelling.request(preview(package, **facts))
