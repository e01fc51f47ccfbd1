"""Changing the policyholder's details: at once, and only what XCover lets change."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from django_xcover import exceptions
from django_xcover.exceptions import CardNumberSent
from django_xcover.models import Cancellation, Modification, OperationState, QuotePackage
from django_xcover.policies import cancellation, modification
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.conftest import Shopper, the_package, work
from tests.policies.modification.support import (
    BEING_CHANGED,
    NOT_ACCEPTED,
    NOT_MODIFIABLE,
    NOTHING,
    WRONG_PHONE,
    State,
    details,
    price,
    the_modification,
    the_modify,
)
from tests.workers import let_time_pass

pytestmark = pytest.mark.django_db

# What is refused.


def test_cover_that_is_not_booked_is_not_changed(shopper: Shopper) -> None:
    shopper.says(yes=True)

    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        details(the_package(), phone="+1")


def test_cover_that_is_being_cancelled_is_not_changed(booked: QuotePackage) -> None:
    found = price(booked)
    cancellation.cancel_now(booked, origin=Cancellation.Origin.SHOPPER)

    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        details(booked, phone="+1")
    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        price(booked)
    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        modification.settle(found)


def test_a_change_to_what_is_there_is_none(booked: QuotePackage) -> None:
    with pytest.raises(exceptions.NothingToChange, match=f"^{NOTHING}$"):
        details(booked, phone="+447700900123", company="", region=None)


def test_fields_that_may_not_change_are_named(booked: QuotePackage) -> None:
    with pytest.raises(exceptions.FieldsNotChangeable) as refused:
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

    with pytest.raises(exceptions.BeingChanged, match=f"^{BEING_CHANGED}$"):
        details(booked, phone="+447700900123")
    with pytest.raises(exceptions.BeingChanged, match=f"^{BEING_CHANGED}$"):
        price(booked)


@pytest.mark.parametrize("mirrored_first", [True, False])
def test_the_same_details_sent_twice_are_one_change(
    booked: QuotePackage, mirrored_first: bool
) -> None:
    first = details(booked, phone="+441632960000", email="ana@example.com", company="")
    if mirrored_first:  # a webhook can be faster than the worker
        booked.payload["policyholder"]["phone"] = "+441632960000"
        booked.save()

    again = details(booked, phone="+441632960000", email="ana@example.com", company=None)

    assert again == first == the_modification()
    assert the_modify().subject == str(first.pk)


@pytest.mark.parametrize(
    "more", [{"last_name": "Bianchi"}, {"email": "rossi@example.com"}, {"phone": ""}]
)
def test_details_that_say_more_than_those_being_changed_have_to_wait(
    booked: QuotePackage, more: dict[str, str]
) -> None:
    details(booked, phone="+441632960000")

    with pytest.raises(exceptions.BeingChanged, match=f"^{BEING_CHANGED}$"):
        details(booked, **{"phone": "+441632960000", **more})


def test_details_that_say_less_than_those_being_changed_have_to_wait(booked: QuotePackage) -> None:
    details(booked, phone="+441632960000", email="rossi@example.com")

    with pytest.raises(exceptions.BeingChanged, match=f"^{BEING_CHANGED}$"):
        details(booked, phone="+441632960000")


def test_a_detail_that_xcover_refuses_says_so_in_its_words(booked: QuotePackage) -> None:
    details(booked, phone="020 7946 0000")

    work()

    found = the_modification()
    assert found.state == State.REFUSED
    told = f"{NOT_ACCEPTED} Phone, with + and the country code: {WRONG_PHONE}"
    assert modification.refusal_of(found) == told
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


# What is made.


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


def test_a_new_address_for_mail_moves_the_column_that_staff_search_by(booked: QuotePackage) -> None:
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

    assert modification.changeable_fields(booked) == ("phone", "birth_date")
    with pytest.raises(exceptions.FieldsNotChangeable, match="email"):
        details(booked, email="rossi@example.com")


@pytest.mark.parametrize("named", [None, [], "phone"])
def test_where_the_answer_names_nothing_the_usual_details_may_be_tried(
    booked: QuotePackage, named: Any
) -> None:
    booked.payload["policyholder"]["fields_allowed_to_update"] = named

    fields = modification.changeable_fields(booked)

    assert {"phone", "email", "last_name", "postcode"} <= set(fields)
    assert not {"country", "age"} & set(fields)
