"""A laptop's cover that is paid month by month."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine

from django_xcover.models import Instalment, Quote, QuotePackage
from django_xcover.policies import instalments
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop, laptop

BOUGHT = datetime(2026, 5, 1, 9, tzinfo=UTC)
Buy = Callable[..., QuotePackage]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Return the time for the shop and the sandbox, both in this process; it stands at BOUGHT."""
    with time_machine.travel(BOUGHT, tick=False) as traveller:
        yield traveller


@pytest.fixture
def buy(clock: time_machine.Traveller, shopper: Shopper, shop: Shop) -> Buy:
    """Return a maker of paid orders whose cover is booked with a plan."""

    def make(price: str = "1200", plan: str = "1year-monthly", **cart: Any) -> QuotePackage:
        shopper.cart = shopper.cart.but(items=(laptop(price=price),), **cart)
        shopper.says(yes=True)
        Quote.objects.update(instalment_plan=plan)
        completion.complete(shop.order(), shopper.cart, paid=True)
        work()
        return the_package()

    return make


@pytest.fixture
def schedule(buy: Buy) -> list[Instalment]:
    """Return the twelve instalments, the first of them paid."""
    return instalments.mirror(buy())


@pytest.fixture
def second(schedule: list[Instalment]) -> Instalment:
    """Return the first instalment that is not paid."""
    return schedule[1]


def entry(sandbox: Sandbox, instalment: Instalment) -> dict[str, Any]:
    """Return what XCover holds about an instalment."""
    [quote] = sandbox.package(the_package().package_id)["quotes"]
    found: dict[str, Any] = quote["instalments"][instalment.number - 1]
    return found
