"""Checks of values from outside: lengths of references, and card numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from django_xcover.exceptions import CardNumberSent, ReferenceTooLong
from django_xcover.values import LONGEST_REFERENCE


def refuse_long(reference: str) -> None:
    """Raise ReferenceTooLong for a reference that the database would refuse or truncate."""
    if len(reference) > LONGEST_REFERENCE:
        raise ReferenceTooLong(longest=LONGEST_REFERENCE)


# Digits with spaces and dashes between them. It always matches the whole run, so that part of a
# longer number is not taken for a card number. After a plus it is a telephone number.
RUN = re.compile(r"(?<![\d+])\d(?:[\s\u00ad\u2010-\u2015\u2212-]*\d)*")
LENGTHS = range(13, 20)  # ISO/IEC 7812
# Generated ids and hashes, of which one in some thousands would pass the check by chance.
MACHINE_MADE = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32,}", re.IGNORECASE
)
# A device's IMEI, which some policies require, has fifteen digits and the same check digit. Card
# numbers of fifteen digits start with 1 (UATP), 2 (JCB, enRoute), 34 or 37 (American Express).
FIFTEEN = ("1", "2", "34", "37")
DEEPEST = 20


def refuse(value: Any, field: str = "") -> None:
    """Raise CardNumberSent if `value` contains a card number.

    `value` is a string, a number, or mappings and lists of them. Keys are checked, too.
    """
    for place, text in _texts(value, field, DEEPEST):
        if holds_card_number(text):
            raise CardNumberSent(place)


def holds_card_number(text: str) -> bool:
    """Return whether `text` contains a card number: 13 to 19 digits that pass the Luhn check."""
    if MACHINE_MADE.fullmatch(text.strip()):
        return False
    return any(_is_card_number(_digits(match[0])) for match in RUN.finditer(text))


def _digits(run: str) -> str:
    # `int` reads the digits of every script. A card number may be in Arabic digits.
    return "".join(str(int(char)) for char in run if char.isdecimal())


def _is_card_number(digits: str) -> bool:
    if len(digits) not in LENGTHS or not digits.strip("0"):
        return False
    if len(digits) == 15 and not digits.startswith(FIFTEEN):
        return False
    # The Luhn check (ISO/IEC 7812).
    backwards = [int(digit) for digit in reversed(digits)]
    doubled = [sum(divmod(2 * digit, 10)) for digit in backwards[1::2]]
    return (sum(backwards[::2]) + sum(doubled)) % 10 == 0


def _texts(value: Any, field: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and depth:
        for key, below in value.items():
            yield field, str(key)
            # A key that is a card number must not become the name of the field in the error.
            name = "" if holds_card_number(str(key)) else f"{field}.{key}".strip(".")
            yield from _texts(below, name, depth - 1)
    elif isinstance(value, list | tuple | set) and depth:
        for below in value:
            yield from _texts(below, field, depth - 1)
    elif value is not None and not isinstance(value, bool):
        yield field, str(value)
