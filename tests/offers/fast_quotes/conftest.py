"""A price that was agreed, its order, and a cache without earlier prices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from django_xcover.booking import instant_booking
from django_xcover.cover import book_instantly
from django_xcover.models import Operation
from django_xcover.sandbox import Sandbox
from django_xcover.types import Money
from tests.offers.fast_quotes.support import asked
from tests.shop import Shop, laptop, ticket


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def agreed(sandbox: Sandbox) -> dict[str, Money]:
    """Return the prices that the shopper was shown for a laptop and two tickets."""
    offer = instant_booking.price(asked(laptop(), ticket()))
    assert offer is not None
    return dict(offer.prices)


@pytest.fixture
def paid(shop: Shop, agreed: dict[str, Money]) -> Operation:
    """Return the instant booking of a paid order, to be carried out."""
    return book_instantly(shop.order(), asked(laptop(), ticket()), agreed=agreed)
