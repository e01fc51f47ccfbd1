"""Bookings to be cancelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_xcover import signals
from django_xcover.models import Cancellation, QuotePackage
from tests.buying import Buy, buys
from tests.conftest import Shopper
from tests.shop import Shop, laptop, ticket


@pytest.fixture
def buy(shopper: Shopper, shop: Shop) -> Buy:
    """Return a maker of booked packages, with a policy for each item: two tickets by default."""
    return lambda *items, **cart: buys(shopper, shop, *(items or (ticket(),)), **cart)


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
