"""XCover answers 429 for hours: nobody waits, little is sent, it is logged once and on record."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command

from django_xcover.client import Throttled
from django_xcover.clients import factory, rate_limits
from django_xcover.conf import get_config
from django_xcover.models import OfferCount, OfferOutcome, Reconciliation
from django_xcover.offers import counts
from django_xcover.sandbox import Sandbox
from django_xcover.support.health import State, health
from django_xcover.sync.reconciliation import reconcile
from tests.checkout.conftest import Visitor, front, visitor
from tests.threads import finish, threads

__all__ = ["front", "threads", "visitor"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("memory")]
OFFER, PRICE = "/xcover/offer/", "/xcover/price/?product=laptop"


@pytest.fixture(autouse=True)
def throttling(sandbox: Sandbox) -> None:
    """Let XCover answer each call with a 429, and ask for a pause of a minute."""
    counts._counted.clear()
    # The client of the sandbox has no limits of its own, unlike that of a shop.
    limiter = rate_limits.limiter_of(get_config().account("default"))
    factory.client_for("default")._requestor._limiter = limiter
    sandbox.faults.add("*", "throttle", times=None, seconds=60)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """Return the warnings, without the line of each call (`django_xcover.client`)."""
    found = [record for record in caplog.records if record.levelno >= logging.WARNING]
    ours = [record for record in found if record.name.startswith("django_xcover.")]
    return [record.getMessage() for record in ours if record.name != "django_xcover.client"]


def subject(name: str) -> Any:
    """Return a subject of the health."""
    counts.write()
    return next(one for one in health().subjects if one.name == name)


def test_shoppers_see_no_offer_and_xcover_is_asked_once_in_each_pause(
    visitor: Visitor, sandbox: Sandbox, clock: time_machine.Traveller
) -> None:
    statuses = []
    for _ in range(20):
        statuses.append(visitor.client.get(OFFER).status_code)
        clock.shift(6)

    assert statuses == [204] * 20
    assert len(sandbox.calls("create_quote")) == 2


@pytest.mark.django_db(transaction=True)
def test_a_page_whose_offer_is_throttled_stops_asking(
    visitor: Visitor, sandbox: Sandbox, threads: None
) -> None:
    first = visitor.client.get(OFFER)
    finish()
    assert visitor.client.get(first["Location"]).status_code == 204

    assert visitor.client.get(OFFER).status_code == 204  # at once, without a thread
    assert len(sandbox.calls("create_quote")) == 1


def test_the_offers_that_are_lost_are_counted_as_such(visitor: Visitor) -> None:
    for _ in range(3):
        visitor.client.get(OFFER)
    counts.write()

    [row] = OfferCount.objects.all()
    assert (row.outcome, row.count) == (OfferOutcome.RATE_LIMIT, 3)


def test_it_is_logged_once_however_long_it_lasts(
    visitor: Visitor, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(60):
        visitor.client.get(OFFER)
        visitor.client.get(PRICE)
        clock.shift(20)

    [line] = lines(caplog)
    assert "429" in line
    assert "60 s" in line


def test_a_second_time_hours_later_is_logged_again(
    visitor: Visitor, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.client.get(OFFER)
    clock.shift(timedelta(hours=3))
    visitor.client.get(OFFER)

    assert len(lines(caplog)) == 2


def test_prices_on_product_pages_are_not_asked_for_in_a_pause(
    visitor: Visitor, sandbox: Sandbox
) -> None:
    visitor.client.get(OFFER)

    assert visitor.client.get(PRICE).status_code == 204
    assert visitor.opens("/products/laptop/").all("p", class_="xcover xcover-product-price") == []
    assert sandbox.calls("fast_quote") == []


def test_health_says_so_between_two_pauses_as_well(
    visitor: Visitor, clock: time_machine.Traveller
) -> None:
    visitor.client.get(OFFER)
    during = subject("rate")
    clock.shift(70)
    after = subject("rate")

    assert (during.state, after.state) == (State.ATTENTION, State.ATTENTION)
    assert "asked for a pause" in after.sentence


def test_the_status_command_fails_when_shoppers_have_had_no_offer_for_long(
    visitor: Visitor, clock: time_machine.Traveller, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(4):
        visitor.client.get(OFFER)
        clock.shift(61)
    counts.write()

    with pytest.raises(SystemExit) as ended:
        call_command("xcover_status")

    assert ended.value.code == State.ALARM
    assert "rate limit" in capsys.readouterr().out


def test_health_is_well_again_with_the_first_offer(
    visitor: Visitor, sandbox: Sandbox, clock: time_machine.Traveller
) -> None:
    visitor.client.get(OFFER)
    sandbox.faults.clear()
    clock.shift(70)
    visitor.client.get(OFFER)

    assert subject("rate").state == State.WELL


def test_reconciliation_stops_says_so_and_goes_on_when_it_is_over(
    sandbox: Sandbox, clock: time_machine.Traveller, caplog: pytest.LogCaptureFixture
) -> None:
    report = reconcile("default", fix=True)
    again = reconcile("default", fix=True)

    assert isinstance(report.error, Throttled)
    assert not again.is_finished
    assert len(sandbox.calls("list_bookings")) == 1
    assert Reconciliation.objects.get().error in {"throttled", "held_back"}
    assert subject("reconciliation").state == State.ATTENTION
    assert len(lines(caplog)) == 1

    sandbox.faults.clear()
    clock.shift(61)
    assert reconcile("default", fix=True).is_finished
    assert subject("reconciliation").state == State.WELL
