"""What a shop calls to freeze or to hold a premium."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.http import HttpRequest

from django_xcover.cover import freeze_cover, hold_cover
from tests.offers.holds.support import Freeze
from tests.shop import Cart


@pytest.fixture
def freeze(request_for: Callable[[Cart], HttpRequest]) -> Freeze:
    """Return what a shop calls for a cart, inside its transaction."""
    return lambda cart: freeze_cover(request_for(cart))


@pytest.fixture
def hold(request_for: Callable[[Cart], HttpRequest]) -> Freeze:
    """Return what a shop that charges first calls for a cart."""
    return lambda cart, **how: hold_cover(request_for(cart), **how)
