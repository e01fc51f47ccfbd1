"""Convert the values that a shop's adapter returns into ones that can be stored and sent.

A shop's models contain more than plain strings: a `PhoneNumber` of django-phonenumber-field, a
`Country` of django-countries, Enum members, lazy translations, UUIDs. A value with a string form is
converted to it. Others are refused with a message that names the place in the adapter and the
type, but not the value, which may be a customer's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, ClassVar
from uuid import UUID

# The length of the columns for references.
LONGEST_REFERENCE = 100
# Types that JSON or the client's encoder supports.
PLAIN = (bool, int, float, Decimal, datetime, date, UUID)
NOT_TEXT = (bool, bytes, bytearray, memoryview, Mapping, list, tuple, set, frozenset)
NUMBERS = (int, float)  # they inherit `object.__str__`


class UnusableValue(ValueError):
    """The adapter returned a value that cannot be stored or sent.

    `str()` names the place and the type but not the value, so it can be logged.
    """

    code: ClassVar[str] = "unusable_value"


class InvalidPolicyRequest(UnusableValue):
    """A function of `django_xcover.policy_requests` got values that XCover refuses.

    `errors` has a text for each wrong argument. Neither they nor `str()` quote a value.
    """

    code: ClassVar[str] = "invalid_policy_request"

    def __init__(self, builder: str, errors: Mapping[str, str]) -> None:
        self.builder, self.errors = builder, dict(errors)
        wrong = "; ".join(f"{name} {why}" for name, why in errors.items())
        super().__init__(f"{builder}() can't be quoted: {wrong}.")

    def __reduce__(self) -> tuple[object, ...]:
        # Celery pickles the exceptions of tasks, and `args` are not the arguments of `__init__`.
        return (type(self), (self.builder, self.errors))


def text(value: object, place: str, *, longest: int | None = None) -> str:
    """Return `value` as a string. Raise UnusableValue for None and for types without a string form.

    A NUL is removed and a lone surrogate becomes U+FFFD, because not every database can store them.
    A name that was pasted with one must not make a paid booking fail.
    """
    plain = _storable(_as_text(value, place))
    if longest is not None and len(plain) > longest:
        raise UnusableValue(f"{place} has more than {longest} characters.")
    return plain


def optional_text(value: object, place: str, *, longest: int | None = None) -> str:
    """Return `value` as a string, "" for None. Raise UnusableValue as `text` does."""
    return "" if value is None else text(value, place, longest=longest)


def reference(value: object, place: str) -> str:
    """Return a reference as a string. Raise UnusableValue if it cannot be stored exactly.

    Unlike a name it is never changed or truncated, because it could become that of another order.
    """
    plain = _as_text(value, place)
    if plain != _storable(plain):
        raise UnusableValue(f"{place} contains a NUL or a lone surrogate.")
    if not plain.strip():
        raise UnusableValue(f"{place} is empty.")
    if len(plain) > LONGEST_REFERENCE:
        raise UnusableValue(f"{place} has more than {LONGEST_REFERENCE} characters.")
    return plain


def whole_number(value: object, place: str) -> int | None:
    """Return `value` as an int, or None if it is None or "". Digits of every script are read."""
    if value is None or value == "":
        return None
    try:
        number = int(_as_text(value, place))
    except ValueError:
        raise UnusableValue(f"{place} is not a whole number.") from None
    return number


def plain(value: object, place: str) -> Any:
    """Return `value` in types that JSON or the client's encoder supports. Raise UnusableValue.

    Mappings and lists are converted recursively, and other values to strings.
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
    """Return `value` with the decimal digits of every script converted to 0-9.

    Customers also type full-width and Arabic digits.
    """
    return "".join(str(unicodedata.decimal(char)) if char.isdecimal() else char for char in value)


def _as_text(value: object, place: str) -> str:
    if isinstance(value, Enum):
        return _as_text(value.value, place)
    if isinstance(value, str):
        return str.__str__(value)  # a plain str, also for a SafeString
    if value is None:
        raise UnusableValue(f"{place} is None.")
    kind: type = type(value)
    has_text = isinstance(value, NUMBERS) or "__str__" in _names_of(kind)
    if isinstance(value, NOT_TEXT) or not has_text:
        raise UnusableValue(f"{place} is of type {kind.__name__}, which has no string form.")
    try:
        return str(value)
    except Exception as error:  # noqa: BLE001 - a shop's type may raise anything
        problem = type(error).__name__
    raise UnusableValue(f"{place}: str() of a {kind.__name__} failed ({problem}).")


def _names_of(kind: type) -> set[str]:
    """Return the attributes that `kind` and its bases define, without those of `object`."""
    return {name for base in kind.__mro__ if base is not object for name in vars(base)}


def _storable(value: str) -> str:
    return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
