"""Card numbers are known when they are seen, and other numbers are left alone."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from django_xcover import validators
from django_xcover.exceptions import CardNumberSent
from django_xcover.validators import holds_card_number

# Numbers that card schemes publish for tests.
CARDS = [
    "4242424242424242",
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "4242\u00a04242\u20134242 - 4242",
    "3782 822463 10005",
    "30569309025904",
    "4222222222222",
    "6011111111111117",
    "3566002020360505",
    "6304000000000000000",
    "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
]
HARMLESS = [
    "",
    "0000000000000000",
    "4242424242424241",  # the check digit is wrong
    "424242424242424242424242",  # too long for a card
    "+4915123456789",  # a telephone number whose digits pass the check
    "+49 151 2345 6789",
    "490154203237518",  # a device's IMEI
    "Ana Rossi",
    "1 Quay Street 12",
    "2030-06-20T19:30:00+01:00",
    "2026-05-01 10:00:00",
    "7b0c1f2e-3f55-4a0e-9a77-0d5a2f1c9e11",
    "42424242-4242-4242-a000-000000000000",
    "ABCDE-FGHJK-INS",
    "deadbeef4242424242424242deadbeef",
]


@given(st.text("0123456789", min_size=10, max_size=16))
def test_every_number_with_a_right_check_digit_is_refused(digits: str) -> None:
    number = f"37{digits}"
    number += check_digit(number)

    with pytest.raises(CardNumberSent):
        validators.refuse({"name": f"my card: {number}."})


@given(st.uuids())
def test_no_id_made_by_a_machine_is_taken_for_a_card(value: uuid.UUID) -> None:
    assert not holds_card_number(str(value))
    assert not holds_card_number(value.hex)


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize("around", ["{}", "my card {}, thanks", "x{}y", "\n{}\t"])
def test_a_card_number_is_found_however_it_is_written(card: str, around: str) -> None:
    assert holds_card_number(around.format(card))


@pytest.mark.parametrize("text", HARMLESS)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert not holds_card_number(text)


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ("4242424242424242", "token"),
        (4242424242424242, "token"),
        (Decimal(4242424242424242), "token"),
        ({"a": ["x", {"b": "4242424242424242"}]}, "token.a.b"),
        ({"4242424242424242": 1}, "token"),
        ({"4242424242424242": {"b": "4242424242424242"}}, "token"),
        (("4242424242424242",), "token"),
    ],
)
def test_it_is_found_at_any_depth_and_its_place_named(value: Any, field: str) -> None:
    with pytest.raises(CardNumberSent) as refused:
        validators.refuse(value, "token")

    assert refused.value.field == field
    assert "4242" not in str(refused.value)


def test_what_is_nested_too_deeply_is_looked_at_as_a_whole() -> None:
    value: Any = "4242424242424242"
    for _ in range(50):
        value = [value]

    with pytest.raises(CardNumberSent):
        validators.refuse(value)


@pytest.mark.parametrize("value", [None, True, 0, [], {}, {"a": None}, Decimal("7.89")])
def test_values_without_a_card_number_pass(value: Any) -> None:
    validators.refuse(value)


def check_digit(number: str) -> str:
    """Return what completes `number` by Luhn, written down another way than in the code."""
    total = 0
    for place, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)
