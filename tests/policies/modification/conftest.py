"""A booking of cover for a laptop, to be changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_xcover import signals
from django_xcover.models import Modification, QuotePackage
from tests.buying import Buy, buys
from tests.conftest import Shopper
from tests.shop import Shop, laptop


@pytest.fixture
def buy(shopper: Shopper, shop: Shop) -> Buy:
    """Return a maker of booked packages, with a policy for each item: a laptop by default."""
    return lambda *items, **cart: buys(shopper, shop, *(items or (laptop(),)), **cart)


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
