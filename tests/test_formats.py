"""Money as people read it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import translation

from django_xcover.formats import (
    exact_amount,
    format_amount,
    minor_units,
    parse_amount,
    plain_amount,
)
from django_xcover.types import Money


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("82.5000", "GBP", "82.50"),
        ("0", "GBP", "0.00"),
        ("1E+3", "JPY", "1000"),
        ("1.25", "KWD", "1.250"),
        ("0.9150", "GBP", "0.915"),
        ("5", "XYZ", "5.00"),
    ],
)
def test_an_amount_for_programs_has_its_currencys_decimals_and_loses_none(
    amount: str, currency: str, text: str
) -> None:
    assert plain_amount(Money(Decimal(amount), currency)) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text", "units"),
    [
        ("82.5000", "GBP", "82.50", 8250),
        ("-45.69", "EUR", "-45.69", -4569),
        ("0", "GBP", "0.00", 0),
        ("1E+3", "JPY", "1000", 1000),
        ("1.25", "KWD", "1.250", 1250),
        # Nobody uses fillér, but payment providers count in them.
        ("500", "HUF", "500.00", 50000),
        ("500", "CLF", "500.0000", 5000000),
        ("5", "XYZ", "5.00", 500),
        ("0.915", "GBP", "0.915", None),
        ("0.5", "JPY", "0.5", None),
    ],
)
def test_an_amount_for_payments_has_the_decimals_of_iso_4217(
    amount: str, currency: str, text: str, units: int | None
) -> None:
    money = Money(Decimal(amount), currency)

    assert (exact_amount(money), minor_units(money)) == (text, units)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("3.4000", "GBP", "£3.40"),
        ("1300", "JPY", "¥1,300"),
        ("1.2340", "KWD", "KWD1.234"),
        ("0.915", "GBP", "£0.915"),
        ("1234567.5", "EUR", "€1,234,567.50"),
        ("0", "GBP", "£0.00"),
        ("5", "XYZ", "XYZ5.00"),
    ],
)
def test_an_amount_has_its_currencys_decimals_and_loses_none(
    amount: str, currency: str, text: str
) -> None:
    assert format_amount(Money(Decimal(amount), currency)) == text


def test_an_amount_is_written_in_the_readers_language() -> None:
    with translation.override("de"):
        assert format_amount(Money(Decimal("1234.5"), "EUR")) == "1.234,50\xa0€"


def test_a_language_nobody_knows_reads_english() -> None:
    with translation.override("xx"):
        assert format_amount(Money(Decimal(1), "GBP")) == "£1.00"


@pytest.mark.parametrize(
    ("text", "language", "amount"),
    [
        ("1,249.00", "en", "1249.00"),
        ("1,500", "en", "1500"),
        ("1.200,50", "de", "1200.50"),
        ("1.200", "de", "1200"),
        ("1 249,00", "fr", "1249.00"),
        ("1249.5", "en", "1249.5"),
    ],
)
def test_an_amount_is_read_as_the_readers_language_writes_it(
    text: str, language: str, amount: str
) -> None:
    with translation.override(language):
        assert parse_amount(text) == Decimal(amount)


@pytest.mark.parametrize("text", ["", "much", "1,5", "NaN", "1,0e99999999", "1,2,3"])
def test_what_is_no_amount_or_might_be_another_is_not_read(text: str) -> None:
    assert parse_amount(text) is None
