"""The values that cross borders."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_xcover.types import Money
from tests.shop import ANA


def test_money_is_never_a_float() -> None:
    with pytest.raises(TypeError, match="not float"):
        Money(3.4, "GBP")  # type: ignore[arg-type]


def test_two_currencies_do_not_add_up() -> None:
    with pytest.raises(ValueError, match="GBP and EUR"):
        Money(Decimal(1), "GBP") + Money(Decimal(1), "EUR")


def test_money_adds_exactly() -> None:
    assert Money(Decimal("0.1"), "GBP") + Money(Decimal("0.2"), "GBP") == Money(
        Decimal("0.3"), "GBP"
    )


def test_a_policyholder_does_not_show_who_it_is() -> None:
    assert "Ana" not in repr(ANA)
    assert "ana@example.com" not in repr(ANA)
