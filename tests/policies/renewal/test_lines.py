"""Every policy that a renewal is about is named, with its share of the price."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import time_machine

from django_xcover.models import Quote, Renewal
from django_xcover.policies import renewal as renewing
from tests.conftest import work
from tests.policies.renewal.conftest import ENDS, Buy, yearly

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(buy: Buy, clock: time_machine.Traveller) -> Renewal:
    """Return the renewal of a booking with two laptops of the same type."""
    buy(yearly(), replace(yearly("second", price="900"), label="Aero 16"))
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    return renewal


def test_before_there_is_a_price_all_policies_that_end_are_named_without_a_share(
    pair: Renewal,
) -> None:
    lines = renewing.lines_of(pair)

    assert [(line.title, line.price) for line in lines] == [("Aero 14", None), ("Aero 16", None)]


def test_each_policy_has_its_own_share_and_they_come_to_the_price(pair: Renewal) -> None:
    renewing.quote(pair)

    lines = renewing.lines_of(pair)

    dearer, cheaper = (line.price.amount for line in lines if line.price)
    assert [line.title for line in lines] == ["Aero 14", "Aero 16"]
    assert dearer > cheaper
    assert dearer + cheaper == pair.price


def test_a_policy_that_goes_on_as_it_is_is_not_named_as_renewed(
    buy: Buy, clock: time_machine.Traveller
) -> None:
    buy(yearly(months=24), replace(yearly("second", price="900"), label="Aero 16"))
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    renewing.quote(renewal)

    assert [line.title for line in renewing.lines_of(renewal)] == ["Aero 16"]


def test_a_quote_with_another_id_and_without_a_start_is_that_of_the_policy_that_ends(
    buy: Buy, clock: time_machine.Traveller
) -> None:
    buy(yearly(months=24), replace(yearly("second", price="900"), label="Aero 16"))
    clock.move_to(ENDS - timedelta(days=20))
    [renewal] = renewing.find_due()
    renewing.quote(renewal)
    Quote.objects.update(is_renewable=True)
    [due] = [quote for quote in renewal.payload["quotes"] if quote["status"] == "RECEIVED"]
    renewal.payload["quotes"] = [due | {"id": "another", "policy_start_date": None}]

    assert [line.title for line in renewing.lines_of(renewal)] == ["Aero 16"]


def test_what_is_renewed_is_named_after_it_was_renewed_too(pair: Renewal) -> None:
    renewing.quote(pair)
    renewing.record_payment(pair)
    work()

    assert [line.title for line in renewing.lines_of(pair)] == ["Aero 14", "Aero 16"]


def test_a_quote_that_matches_no_policy_is_named_by_the_vendors_name(pair: Renewal) -> None:
    renewing.quote(pair)
    Quote.objects.update(is_renewable=False)

    lines = renewing.lines_of(pair)

    assert len(lines) == 2
    assert all(line.title and line.quote_id == "" for line in lines)
