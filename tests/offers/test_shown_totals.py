"""The total that the form carries, and what counts as the same total."""

from __future__ import annotations

from decimal import Decimal

import pytest

from django_xcover.exceptions import TotalChanged
from django_xcover.offers.shown_totals import FIELD, as_text, require_shown
from django_xcover.types import Money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("1331.25", "GBP", "1331.25 GBP"),
        ("82.2500", "GBP", "82.25 GBP"),
        ("82.5", "GBP", "82.50 GBP"),
        ("1E+3", "GBP", "1000.00 GBP"),
        ("1300.0000", "JPY", "1300 JPY"),
        ("1.2", "KWD", "1.200 KWD"),
    ],
)
def test_the_field_has_the_digits_of_the_currency(amount: str, currency: str, text: str) -> None:
    assert as_text(Money(Decimal(amount), currency)) == text


@pytest.mark.parametrize("shown", ["82.26 GBP", "82.24 GBP", "82.25 EUR", "82.25"])
def test_another_total_or_currency_is_refused(shown: str) -> None:
    with pytest.raises(TotalChanged):
        require_shown({FIELD: shown}, Money(Decimal("82.25"), "GBP"))


@pytest.mark.parametrize(
    ("shown", "total"),
    [("82.25 GBP", "82.2500"), ("82.255 GBP", "82.26"), ("82.26 GBP", "82.255")],
)
def test_fractions_below_the_smallest_coin_do_not_matter(shown: str, total: str) -> None:
    require_shown({FIELD: shown}, Money(Decimal(total), "GBP"))


def test_yen_have_no_fractions() -> None:
    require_shown({FIELD: "1300 JPY"}, Money(Decimal("1300.4"), "JPY"))
    with pytest.raises(TotalChanged):
        require_shown({FIELD: "1300 JPY"}, Money(Decimal("1300.5"), "JPY"))


@pytest.mark.parametrize("shown", ["1E+999999 GBP", "sNaN GBP", "Infinity GBP", "", "GBP", "x GBP"])
def test_what_is_no_amount_is_refused(shown: str) -> None:
    with pytest.raises(TotalChanged):
        require_shown({FIELD: shown}, Money(Decimal("82.25"), "GBP"))
