"""A laptop's cover for a year, bought and about to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.dispatch import Signal

from django_xcover import signals
from django_xcover.models import QuotePackage, Renewal
from django_xcover.policies import renewal as renewing
from django_xcover.sandbox import Sandbox
from django_xcover.types import PolicyRequest
from tests.buying import buys
from tests.conftest import Shopper
from tests.shop import Shop, laptop

BOUGHT = datetime(2026, 5, 1, 9, tzinfo=UTC)
ENDS = datetime(2027, 5, 1, 9, tzinfo=UTC)
Buy = Callable[..., QuotePackage]
Heard = dict[str, list[dict[str, Any]]]


def yearly(reference: str = "laptop", *, price: str = "1200", months: int = 12) -> PolicyRequest:
    """Return a laptop to be insured for one year."""
    item = laptop(reference, price=price)
    return replace(item, fields={**item.fields, "term": months})


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Return the time for the shop and the sandbox, both in this process; it stands at BOUGHT."""
    with time_machine.travel(BOUGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def buy(clock: time_machine.Traveller, shopper: Shopper, shop: Shop) -> Buy:
    """Return a maker of paid orders whose cover is booked: a laptop for a year by default."""
    return lambda *items, **cart: buys(shopper, shop, *(items or (yearly(),)), **cart)


@pytest.fixture
def booked(buy: Buy, clock: time_machine.Traveller) -> QuotePackage:
    """Return a booking whose policy ends in twenty days."""
    package = buy()
    clock.move_to(ENDS - timedelta(days=20))
    return package


@pytest.fixture
def due(booked: QuotePackage) -> Renewal:
    """Return the renewal that beat has found."""
    [renewal] = renewing.find_due()
    return renewal


@pytest.fixture
def quoted(due: Renewal) -> Renewal:
    """Return the renewal with its price."""
    return renewing.quote(due)


@pytest.fixture
def heard(django_capture_on_commit_callbacks: Any) -> Iterator[Heard]:
    """Return what the signals about renewals told, by signal."""
    found: Heard = {"renewal_quoted": [], "policy_renewed": [], "renewal_opted_out": []}

    def listen(name: str) -> Callable[..., None]:
        return lambda **facts: found[name].append(facts)

    listeners: dict[str, tuple[Signal, Callable[..., None]]] = {
        name: (getattr(signals, name), listen(name)) for name in found
    }
    for signal, listener in listeners.values():
        signal.connect(listener)
    yield found
    for signal, listener in listeners.values():
        signal.disconnect(listener)


def renewals_at(sandbox: Sandbox, package: QuotePackage) -> list[str]:
    """Return the statuses of the policies at XCover, in order."""
    return [quote["status"] for quote in sandbox.package(package.package_id)["quotes"]]


def required(quoted: Any) -> dict[str, Any]:
    """Return what XCover's confirmation of a renewal cannot go without, from its price."""
    due = [quote for quote in quoted["quotes"] if quote["status"] == "RECEIVED"]
    keys = ("id", "policy_start_date")
    return {"quotes": [{key: quote[key] for key in keys} for quote in due]}
