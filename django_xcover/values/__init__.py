"""Values as a shop's adapter hands them over, turned into what can be stored and sent.

A shop's models hold more than plain text: a `PhoneNumber` of django-phonenumber-field, a `Country`
of django-countries, members of an Enum, lazy translations, UUIDs. What has a text is taken by it.
What has none is refused at once with a sentence that names the place in the adapter and the type
of the value, and never the value itself: it may be a customer's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

# As the columns of references have room for.
LONGEST_REFERENCE = 100
# What JSON, or the client's own encoder, writes as it is.
PLAIN = (bool, int, float, Decimal, datetime, date, UUID)
NOT_TEXT = (bool, bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset)
NUMBERS = (int, float)  # they inherit `object.__str__`


class UnusableValue(ValueError):
    """The adapter returned something that can be neither stored nor sent.

    `str()` names the place and the type, and no value, so that it may be logged.
    """

    code: ClassVar[str] = "unusable_value"


def text(value: object, place: str, *, longest: int | None = None) -> str:
    """Return the text of `value`; raise UnusableValue for None and for what has no text.

    A NUL is left out and half a surrogate pair becomes U+FFFD, because neither can be stored on
    every database. A name that was pasted with one must not cost a paid booking.
    """
    plain = _keepable(_as_text(value, place))
    if longest is not None and len(plain) > longest:
        raise UnusableValue(f"{place} has more than {longest} characters.")
    return plain


def optional_text(value: object, place: str, *, longest: int | None = None) -> str:
    """Return the text of `value`, "" for None."""
    return "" if value is None else text(value, place, longest=longest)


def reference(value: object, place: str) -> str:
    """Return a reference as it is stored; raise UnusableValue for one that cannot be kept exactly.

    Unlike a name it is never mended or cut: it would be another order's.
    """
    plain = _as_text(value, place)
    if plain != _keepable(plain):
        raise UnusableValue(f"{place} holds a NUL or half of a surrogate pair.")
    if not plain.strip():
        raise UnusableValue(f"{place} is empty.")
    if len(plain) > LONGEST_REFERENCE:
        raise UnusableValue(f"{place} has more than {LONGEST_REFERENCE} characters.")
    return plain


def whole_number(value: object, place: str) -> int | None:
    """Return `value` as an int, None for nothing; texts of digits are read in every script."""
    if value is None or value == "":
        return None
    try:
        number = int(_as_text(value, place))
    except ValueError:
        raise UnusableValue(f"{place} is no whole number.") from None
    return number


def plain(value: object, place: str) -> Any:
    """Return `value` as JSON knows it, with Decimals, dates and UUIDs left for the encoder.

    Mappings and lists are gone through; other values are taken by their text. Raise UnusableValue.
    """
    if isinstance(value, Enum):
        return plain(value.value, place)
    if value is None or isinstance(value, PLAIN):
        return value
    if isinstance(value, Mapping):
        return {
            text(key, f"a key of {place}"): plain(item, f"{place}.{key}")
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [plain(item, f"{place}.{index}") for index, item in enumerate(value)]
    return text(value, place)


def digits(value: str) -> str:
    """Return `value` with the decimal digits of every script as 0 to 9.

    Full-width and Arabic digits look right to the person who typed them.
    """
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in value)


def _as_text(value: object, place: str) -> str:
    if isinstance(value, Enum):
        return _as_text(value.value, place)
    if isinstance(value, str):
        return str.__str__(value)  # a plain text, of a SafeString as well
    if value is None:
        raise UnusableValue(f"{place} is None.")
    kind: type = type(value)
    has_text = isinstance(value, NUMBERS) or "__str__" in _names_of(kind)
    if isinstance(value, NOT_TEXT) or not has_text:
        raise UnusableValue(f"{place} is of the type {kind.__name__}, which has no text.")
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - whatever the type of a shop's value raises
        problem = type(error).__name__
    raise UnusableValue(f"{place}: the text of a {kind.__name__} cannot be read ({problem}).")


def _names_of(kind: type) -> set[str]:
    """Return what the classes of `kind` define themselves, apart from `object`."""
    return {name for base in kind.__mro__ if base is not object for name in vars(base)}


def _keepable(value: str) -> str:
    return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
