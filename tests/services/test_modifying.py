"""Changing a booking: what cannot be changed says why, and no money is lost or made up."""

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
    Modification,
    Operation,
    OperationKind,
    OperationState,
    Quote,
    QuotePackage,
)
from django_xcover.sandbox import Sandbox
from django_xcover.services import (
    cancelling,
    gateway,
    mirroring,
    modifying,
    operations,
    orders,
    running,
)
from django_xcover.services.card_numbers import CardNumberSent
from django_xcover.types import Money
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop, laptop, ticket

pytestmark = pytest.mark.django_db

State = Modification.State
NOT_MODIFIABLE = "This cover cannot be changed."
BEING_CHANGED = "An earlier change is still being made. Please try again in a moment."
NOTHING = "Nothing would change."
NOT_ACCEPTED = "XCover does not accept this change."
OUTDATED = "Your cover has changed since this was priced. Please ask for a new price."
ABANDONED = "This change is no longer open. Please ask for a new price."
MADE = "This change has already been confirmed."
WRONG_PHONE = 'The phone number should start with "+" character'

Buy = Callable[..., QuotePackage]


@pytest.fixture
def buy(shopper: Shopper, shop: Shop) -> Buy:
    """Return a maker of booked packages, with a policy for each item."""

    def buy(*items: Any, **cart: Any) -> QuotePackage:
        shopper.cart = shopper.cart.but(items=items or (laptop(),), **cart)
        for line in range(len(shopper.cart.items)):
            shopper.says(yes=True, line=line)
        orders.complete(shop.order(), shopper.cart, paid=True)
        work()
        return the_package()

    return buy


@pytest.fixture
def booked(buy: Buy) -> QuotePackage:
    """Return a booking of cover for a laptop of 1200."""
    return buy()


@pytest.fixture
def heard() -> Iterator[list[tuple[str, Modification]]]:
    """Return what the two signals about modifications have announced."""
    found: list[tuple[str, Modification]] = []

    def quoted(sender: type, modification: Modification, **kwargs: Any) -> None:
        found.append(("quoted", modification))

    def modified(sender: type, modification: Modification, **kwargs: Any) -> None:
        found.append(("modified", modification))

    signals.modification_quoted.connect(quoted)
    signals.policy_modified.connect(modified)
    yield found
    signals.modification_quoted.disconnect(quoted)
    signals.policy_modified.disconnect(modified)


def details(package: QuotePackage, **policyholder: Any) -> Modification:
    return modifying.change_details(package, policyholder, origin="shopper")


def price(package: QuotePackage, value: str = "1500", **fields: Any) -> Modification:
    """Ask what it costs that the laptop is worth `value`."""
    changes = fields or {"price": Decimal(value)}
    quote = package.quotes.get(line_reference="laptop")
    return modifying.quote_change(package, quote=quote, update_fields=changes, origin="shopper")


def the_modification() -> Modification:
    return Modification.objects.get()


def the_modify() -> Operation:
    return Operation.objects.get(kind=OperationKind.MODIFY)


def total_at(sandbox: Sandbox) -> Decimal:
    return Decimal(sandbox.package(the_package().package_id)["total_price"])


def let_time_pass() -> None:
    Operation.objects.update(
        next_attempt_at=timezone.now(), lease_until=timezone.now() - timedelta(seconds=1)
    )


# Details, at once: what is refused.


def test_cover_that_is_not_booked_is_not_changed(shopper: Shopper) -> None:
    shopper.says(yes=True)

    with pytest.raises(modifying.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        details(the_package(), phone="+1")


def test_cover_that_is_being_cancelled_is_not_changed(booked: QuotePackage) -> None:
    found = price(booked)
    cancelling.cancel_now(booked, origin=Cancellation.Origin.SHOPPER)

    with pytest.raises(modifying.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        details(booked, phone="+1")
    with pytest.raises(modifying.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        price(booked)
    with pytest.raises(modifying.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        modifying.settle(found)


def test_a_change_to_what_is_there_is_none(booked: QuotePackage) -> None:
    with pytest.raises(modifying.NothingToChange, match=f"^{NOTHING}$"):
        details(booked, phone="+447700900123", company="", region=None)


def test_fields_that_may_not_change_are_named(booked: QuotePackage) -> None:
    with pytest.raises(modifying.FieldsNotChangeable) as refused:
        details(booked, phone="+1", country="FR", age=9)

    assert str(refused.value) == "These details cannot be changed: age, country."
    assert not Modification.objects.exists()


def test_a_card_number_is_refused_and_not_stored(booked: QuotePackage, sandbox: Sandbox) -> None:
    with pytest.raises(CardNumberSent) as refused:
        details(booked, company="4111 1111 1111 1111")
    assert "4111" not in str(refused.value)
    with pytest.raises(CardNumberSent):
        price(booked, serial_number="4111111111111111")

    assert not Modification.objects.exists()
    assert sandbox.calls("quote_modification") == []


def test_a_second_change_waits_until_the_first_is_made(booked: QuotePackage) -> None:
    details(booked, phone="+441632960000")

    with pytest.raises(modifying.BeingChanged, match=f"^{BEING_CHANGED}$"):
        details(booked, phone="+447700900123")
    with pytest.raises(modifying.BeingChanged, match=f"^{BEING_CHANGED}$"):
        price(booked)


def test_a_detail_that_xcover_refuses_says_so_in_its_words(booked: QuotePackage) -> None:
    details(booked, phone="020 7946 0000")

    work()

    found = the_modification()
    assert found.state == State.REFUSED
    told = f"{NOT_ACCEPTED} policyholder.phone: {WRONG_PHONE}"
    assert modifying.refusal_of(found) == told
    assert found.changes == {}
    assert the_modify().state == OperationState.DISCARDED
    assert the_package().attention == "", "the person who asked reads it"


def test_a_refused_detail_holds_up_nothing(booked: QuotePackage, sandbox: Sandbox) -> None:
    details(booked, phone="020")
    work()
    details(booked, phone="+441632960000")
    work()

    assert the_package().payload["policyholder"]["phone"] == "+441632960000"


def test_credentials_that_are_not_accepted_are_no_refusal_of_the_change(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("modify_booking", "status", status=401)
    details(booked, phone="+441632960000")

    work()

    assert the_modification().state == State.REQUESTED
    assert the_modify().state == OperationState.NEEDS_PERSON


# Details, at once: what is made.


def test_a_new_phone_number_reaches_xcover_and_the_mirror(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    found = details(booked, phone="+441632960000", first_name="Ana")
    assert found.changes == {"policyholder": {"phone": "+441632960000"}}

    work()

    at_xcover = sandbox.package(booked.package_id)["policyholder"]
    assert at_xcover["phone"] == "+441632960000"
    assert at_xcover["first_name"] == "Ana"
    assert the_package().payload["policyholder"]["phone"] == "+441632960000"
    assert the_modification().state == State.CONFIRMED
    assert the_modification().difference == Money(Decimal(0), "GBP")
    assert the_package().total == booked.total


def test_a_new_address_for_mail_moves_the_column_that_staff_search_by(
    booked: QuotePackage,
) -> None:
    details(booked, email="rossi@example.com")

    work()

    assert the_package().policyholder_email == "rossi@example.com"


def test_personal_data_is_gone_once_the_change_is_made(booked: QuotePackage) -> None:
    details(booked, phone="+441632960000")

    work()

    assert the_modification().changes == {}
    assert the_modify().request == {}


def test_a_detail_whose_answer_was_lost_is_read_and_not_sent_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("modify_booking", "process_then_reset", times=5)
    details(booked, phone="+441632960000")
    work()
    sent = len(sandbox.calls("modify_booking"))
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED
    assert len(sandbox.calls("modify_booking")) == sent


def test_a_detail_that_did_not_arrive_is_sent_again_with_the_same_key(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("modify_booking", "garbage")
    details(booked, phone="+441632960000")
    work()
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED
    assert len({call.idempotency_key for call in sandbox.calls("modify_booking")}) == 1


# What may change.


def test_what_may_change_comes_from_the_answer_where_it_says_so(booked: QuotePackage) -> None:
    booked.payload["policyholder"]["fields_allowed_to_update"] = ["phone", "birth_date"]
    booked.save()

    assert modifying.changeable_fields(booked) == ("phone", "birth_date")
    with pytest.raises(modifying.FieldsNotChangeable, match="email"):
        details(booked, email="rossi@example.com")


@pytest.mark.parametrize("named", [None, [], "phone"])
def test_where_the_answer_names_nothing_the_usual_details_may_be_tried(
    booked: QuotePackage, named: Any
) -> None:
    booked.payload["policyholder"]["fields_allowed_to_update"] = named

    fields = modifying.changeable_fields(booked)

    assert {"phone", "email", "last_name", "postcode"} <= set(fields)
    assert not {"country", "age"} & set(fields)


# The price of a change: what is refused.


def test_a_change_of_nothing_has_no_price(booked: QuotePackage, sandbox: Sandbox) -> None:
    quote = booked.quotes.get()

    with pytest.raises(modifying.NothingToChange, match=f"^{NOTHING}$"):
        modifying.quote_change(booked, quote=quote, update_fields={}, origin="staff")

    assert sandbox.calls("quote_modification") == []


def test_a_policy_that_is_cancelled_or_of_another_booking_is_not_changed(buy: Buy) -> None:
    package = buy(ticket(), laptop())
    quote = package.quotes.get(line_reference="laptop")
    cancelling.cancel_now(package, quotes=[quote], origin=Cancellation.Origin.STAFF)
    work()

    with pytest.raises(modifying.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        price(package)
    Quote.objects.filter(pk=quote.pk).update(package=_another(package), status="CONFIRMED")
    with pytest.raises(modifying.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        modifying.quote_change(package, quote=quote, update_fields={"price": 1}, origin="staff")


def test_a_value_that_xcover_refuses_is_a_sentence_with_its_words_apart(
    booked: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(modifying.ChangeNotAccepted, match=f"^{NOT_ACCEPTED}$") as refused:
        price(booked, colour="red")

    assert any("Unexpected field" in texts for texts in refused.value.field_errors.values())
    assert not Modification.objects.exists()


def test_a_booking_cancelled_elsewhere_says_so_and_mends_the_mirror(
    booked: QuotePackage,
) -> None:
    client = gateway.client_for("default")
    client.cancel_booking(booked.package_id, idempotency_key="by-phone")

    with pytest.raises(modifying.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        price(booked)

    assert the_package().status == "CANCELLED"


def test_a_refusal_is_a_sentence_even_when_the_booking_cannot_be_read_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_modification", "status", status=422, body={"errors": ["No"]})
    sandbox.faults.add("get_booking", "status", status=500, times=None)

    with pytest.raises(modifying.ChangeNotAccepted, match=f"^{NOT_ACCEPTED}$"):
        price(booked)


def test_an_xcover_that_is_away_raises_its_own_error_and_leaves_no_row(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_modification", "hang", times=None)

    with pytest.raises(XCoverError):
        price(booked)

    assert not Modification.objects.exists()


def test_an_answer_without_an_id_is_not_taken_for_a_price(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    wire = dict(gateway.client_for("default").get_booking(booked.package_id))
    answer = {"id": wire["id"], "status": "CONFIRMED", "currency": "GBP", "quotes": []}
    sandbox.faults.add("quote_modification", "status", status=200, body=answer)

    with pytest.raises(XCoverError, match="update_id"):
        price(booked)


# The price of a change: what is shown.


def test_a_price_changes_nothing(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = price(booked)

    assert found.state == State.QUOTED
    assert found.update_id.endswith("-UPD")
    assert the_package().total == booked.total
    assert Quote.objects.get().price == booked.total_price
    assert total_at(sandbox) == booked.total_price


def test_a_dearer_thing_costs_more_and_a_cheaper_one_gives_money_back(
    booked: QuotePackage,
) -> None:
    dearer, cheaper = price(booked, "1500"), price(booked, "900")

    assert dearer.difference.amount > 0 > cheaper.difference.amount
    for found in (dearer, cheaper):
        assert found.price_before == booked.total_price
        assert found.price_after - found.price_before == found.price_diff


def test_a_price_is_announced_after_the_commit(
    booked: QuotePackage,
    heard: list[tuple[str, Modification]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        found = price(booked)
        assert heard == []

    assert heard == [("quoted", found)]


def test_no_personal_data_and_no_link_is_kept_with_a_change(booked: QuotePackage) -> None:
    kept = str(price(booked).payload)

    assert "ana@example.com" not in kept
    assert "security_token" not in kept
    assert "signup_token" not in kept


# Settled and confirmed.


@pytest.mark.parametrize("value", ["1500", "900"])
@pytest.mark.parametrize("currency", ["GBP", "JPY", "KWD"])
def test_a_change_is_made_only_when_its_difference_is_settled(
    buy: Buy, sandbox: Sandbox, value: str, currency: str
) -> None:
    package = buy(ticket(), laptop(price="1200"), currency=currency)
    found = price(package, value)
    work()
    assert total_at(sandbox) == package.total_price

    modifying.settle(found, reference="pay_1")
    work()

    after = the_package()
    assert after.total_price == total_at(sandbox) == package.total_price + found.price_diff
    done = the_modification()
    assert (done.state, done.settlement_reference) == (State.CONFIRMED, "pay_1")
    assert done.settled_at is not None
    assert after.attention == ""
    decimals = {"GBP": 2, "JPY": 0, "KWD": 3}[currency]
    assert found.price_diff == round(found.price_diff, decimals)


def test_what_was_settled_is_the_price_agreed_on(booked: QuotePackage) -> None:
    found = price(booked)
    modifying.settle(found)

    work()

    assert Quote.objects.get().chosen_price == Quote.objects.get().price == found.price_after


def test_a_change_without_a_difference_needs_no_settlement(booked: QuotePackage) -> None:
    found = price(booked, serial_number="SN-1")
    assert found.difference == Money(Decimal(0), "GBP")

    modifying.settle(found)
    work()

    assert the_modification().state == State.CONFIRMED
    assert the_modification().settled_at is None
    assert the_package().total == booked.total


def test_a_change_made_is_announced_once_after_the_commit(
    booked: QuotePackage,
    heard: list[tuple[str, Modification]],
    django_capture_on_commit_callbacks: Any,
) -> None:
    modifying.settle(price(booked))

    with django_capture_on_commit_callbacks(execute=True):
        work()
        assert heard == []
    work()

    assert [name for name, _modification in heard] == ["modified"]


def test_a_payment_reported_twice_confirms_once(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = price(booked)

    first = modifying.settle(found, reference="pay_1")
    assert modifying.settle(found, reference="pay_1") == first
    work()
    assert modifying.settle(found, reference="pay_1") == first
    work()

    assert len(sandbox.calls("confirm_modification")) == 1


def test_a_second_payment_for_one_change_is_noticed(booked: QuotePackage) -> None:
    found = price(booked)
    modifying.settle(found, reference="pay_1")

    with pytest.raises(modifying.ChangeMade, match=f"^{MADE}$"):
        modifying.settle(found, reference="pay_2")


def test_a_price_from_before_another_change_is_not_confirmed(booked: QuotePackage) -> None:
    first, second = price(booked, "1500"), price(booked, "900")
    modifying.settle(first)

    with pytest.raises(modifying.ChangeOutdated, match=f"^{OUTDATED}$"):
        modifying.settle(second)
    work()
    with pytest.raises(modifying.ChangeOutdated, match=f"^{OUTDATED}$"):
        modifying.settle(second)

    assert the_package().total_price == first.price_after


def test_a_price_from_before_a_cancellation_is_not_confirmed(buy: Buy) -> None:
    package = buy(ticket(), laptop())
    found = price(package)
    tickets = package.quotes.get(line_reference="ticket")
    cancelling.cancel_now(package, quotes=[tickets], origin=Cancellation.Origin.STAFF)
    work()

    with pytest.raises(modifying.ChangeOutdated, match=f"^{OUTDATED}$"):
        modifying.settle(found)


def test_a_new_phone_number_makes_no_price_outdated(booked: QuotePackage) -> None:
    found = price(booked)
    details(booked, phone="+441632960000")
    work()

    modifying.settle(found)
    work()

    assert Modification.objects.get(pk=found.pk).state == State.CONFIRMED
    assert the_package().total_price == found.price_after


def test_an_abandoned_change_is_not_confirmed(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = price(booked)
    modifying.abandon(found)
    modifying.abandon(found)

    with pytest.raises(modifying.ChangeAbandoned, match=f"^{ABANDONED}$"):
        modifying.settle(found)

    assert the_modification().state == State.ABANDONED
    assert the_modification().changes == {}
    assert total_at(sandbox) == booked.total_price


def test_a_confirmed_change_is_not_abandoned(booked: QuotePackage) -> None:
    found = price(booked)
    modifying.settle(found)

    with pytest.raises(modifying.ChangeMade, match=f"^{MADE}$"):
        modifying.abandon(found)
    work()
    with pytest.raises(modifying.ChangeMade, match=f"^{MADE}$"):
        modifying.abandon(found)


def test_an_update_id_that_xcover_does_not_know_is_refused_and_a_person_told(
    booked: QuotePackage,
) -> None:
    found = price(booked)
    Modification.objects.update(update_id="aaaaa-bbbbb-ccccc-UPD")
    modifying.settle(found, reference="pay_1")

    work()

    assert the_modification().state == State.REFUSED
    assert modifying.refusal_of(the_modification()).startswith(NOT_ACCEPTED)
    assert the_package().attention == Attention.CHANGE_REFUSED
    with pytest.raises(modifying.ChangeAbandoned, match=f"^{ABANDONED}$"):
        modifying.settle(found, reference="pay_1")


def test_a_change_confirmed_at_another_price_than_settled_is_flagged(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    found = price(booked)
    modifying.settle(found)
    Modification.objects.update(price_after=found.price_after - 1)

    work()

    assert the_package().attention == Attention.PRICE_DIFFERS
    assert the_package().total_price == total_at(sandbox)


# Lost answers and dead workers.


@pytest.mark.parametrize(
    "fault", ["process_then_hang", "process_then_reset", "process_then_status"]
)
def test_an_answer_that_is_lost_after_the_change_is_found_and_not_posted_again(
    booked: QuotePackage, sandbox: Sandbox, fault: str
) -> None:
    found = price(booked)
    modifying.settle(found)
    sandbox.faults.add("confirm_modification", fault, times=5, seconds=60, status=500)
    work()
    posts = len(sandbox.calls("confirm_modification"))
    assert the_modification().state == State.REQUESTED
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED
    assert the_package().total_price == total_at(sandbox) == found.price_after
    assert len(sandbox.calls("confirm_modification")) == posts


def test_a_change_without_a_difference_whose_answer_was_lost_is_asked_for_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    modifying.settle(price(booked, serial_number="SN-1"))
    sandbox.faults.add("confirm_modification", "process_then_reset", times=5)
    work()
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED


@pytest.mark.parametrize("moment", ["before the call", "after the call", "while applying"])
def test_a_worker_that_dies_is_made_up_for(
    booked: QuotePackage, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    class Killed(BaseException):
        pass

    def die(*args: Any, **kwargs: Any) -> None:
        raise Killed

    found = price(booked)
    modifying.settle(found)
    module, name = {
        "before the call": (gateway, "client_for"),
        "after the call": (operations, "finish"),
        "while applying": (mirroring, "apply_answer"),
    }[moment]
    with monkeypatch.context() as patched:
        patched.setattr(module, name, die)
        with pytest.raises(Killed):
            running.run(the_modify().pk)
    let_time_pass()
    work()

    assert the_modification().state == State.CONFIRMED
    assert total_at(sandbox) == found.price_after
    assert len(sandbox.calls("confirm_modification")) == 1


def _another(package: QuotePackage) -> QuotePackage:
    other = QuotePackage.objects.get(pk=package.pk)
    other.pk, other.package_id = None, "OTHER-PACKA-INS"
    other.save(force_insert=True)
    return other
