"""The price of a change: what is refused says why, and what is shown changes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover import exceptions
from django_xcover.client import XCoverError
from django_xcover.clients import factory
from django_xcover.models import Cancellation, Modification, Quote, QuotePackage
from django_xcover.policies import cancellation, modification
from django_xcover.sandbox import Sandbox
from tests.buying import Buy
from tests.conftest import the_package, work
from tests.policies.modification.support import (
    NOT_ACCEPTED,
    NOT_MODIFIABLE,
    NOTHING,
    State,
    another,
    price,
    total_at,
)
from tests.shop import laptop, ticket

pytestmark = pytest.mark.django_db

# What is refused.


def test_a_change_of_nothing_has_no_price(booked: QuotePackage, sandbox: Sandbox) -> None:
    quote = booked.quotes.get()

    with pytest.raises(exceptions.NothingToChange, match=f"^{NOTHING}$"):
        modification.quote_change(booked, quote=quote, update_fields={}, origin="staff")

    assert sandbox.calls("quote_modification") == []


def test_a_policy_that_is_cancelled_or_of_another_booking_is_not_changed(buy: Buy) -> None:
    package = buy(ticket(), laptop())
    quote = package.quotes.get(line_reference="laptop")
    cancellation.cancel_now(package, quotes=[quote], origin=Cancellation.Origin.STAFF)
    work()

    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        price(package)
    Quote.objects.filter(pk=quote.pk).update(package=another(package), status="CONFIRMED")
    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        modification.quote_change(package, quote=quote, update_fields={"price": 1}, origin="staff")


def test_a_value_that_xcover_refuses_is_a_sentence_with_its_words_apart(
    booked: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(exceptions.ChangeNotAccepted, match=f"^{NOT_ACCEPTED}$") as refused:
        price(booked, colour="red")

    assert any("Unexpected field" in texts for texts in refused.value.field_errors.values())
    assert not Modification.objects.exists()


def test_a_booking_cancelled_elsewhere_says_so_and_mends_the_mirror(booked: QuotePackage) -> None:
    client = factory.client_for("default")
    client.cancel_booking(booked.package_id, idempotency_key="by-phone")

    with pytest.raises(exceptions.NotModifiable, match=f"^{NOT_MODIFIABLE}$"):
        price(booked)

    assert the_package().status == "CANCELLED"


def test_a_refusal_is_a_sentence_even_when_the_booking_cannot_be_read_again(
    booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("quote_modification", "status", status=422, body={"errors": ["No"]})
    sandbox.faults.add("get_booking", "status", status=500, times=None)

    with pytest.raises(exceptions.ChangeNotAccepted, match=f"^{NOT_ACCEPTED}$"):
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
    wire = dict(factory.client_for("default").get_booking(booked.package_id))
    answer = {"id": wire["id"], "status": "CONFIRMED", "currency": "GBP", "quotes": []}
    sandbox.faults.add("quote_modification", "status", status=200, body=answer)

    with pytest.raises(XCoverError, match="update_id"):
        price(booked)


def test_a_price_in_another_currency_is_not_shown(booked: QuotePackage, sandbox: Sandbox) -> None:
    wire = dict(factory.client_for("default").get_booking(booked.package_id))
    answer = {**wire, "currency": "EUR", "update_id": "aaaaa-bbbbb-ccccc-UPD"}
    sandbox.faults.add("quote_modification", "status", status=200, body=answer)

    with pytest.raises(XCoverError, match="currency"):
        price(booked)

    assert not Modification.objects.exists()


# What is shown.


def test_a_price_changes_nothing(booked: QuotePackage, sandbox: Sandbox) -> None:
    found = price(booked)

    assert found.state == State.QUOTED
    assert found.update_id.endswith("-UPD")
    assert the_package().total == booked.total
    assert Quote.objects.get().price == booked.total_price
    assert total_at(sandbox) == booked.total_price


def test_a_dearer_thing_costs_more_and_a_cheaper_one_gives_money_back(booked: QuotePackage) -> None:
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
