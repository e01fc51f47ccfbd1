"""Typed access to the fields of a JSON object; errors name the path of a malformed field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django_xcover.client.errors import UnexpectedAnswer

# Tax rates have up to 20 decimals; no amount has 16 digits before the point (recorded contract).
MOST_DIGITS = 40
# As many as the columns store, because received amounts are compared with stored ones, on every
# database alike.
DECIMALS = 4
# Columns have 15 digits before the point, so that sums of a hundred such amounts fit as well.
LARGEST = Decimal(10) ** 13
# The first and the last datetime that can be converted to every time zone.
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
# Ids are used unchanged, including case. Any other character could change a URL's path.
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)
_DURATION = re.compile(r"(?:(\d{1,9}) )?(\d{1,9}):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?", re.ASCII)


def amount(value: Any) -> Decimal:
    """Return an amount from a JSON number or decimal text. Floats are refused as inexact.

    Decimals beyond DECIMALS are rounded half to even, as Django does; no currency has so many.
    Raise TypeError or ValueError for anything else.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError("is not an amount")
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        raise ValueError("is not an amount")
    number = Decimal(value)
    in_range = number.is_finite() and abs(number.adjusted()) <= MOST_DIGITS
    if not in_range or abs(number) >= LARGEST:
        raise ValueError("is not an amount")
    rounded = round(number, DECIMALS)
    return number if number == rounded else rounded


def identifier(value: Any) -> str:
    """Return an id unchanged. Raise TypeError or ValueError if it is not one."""
    if not isinstance(value, str):
        raise TypeError("is not a string")
    if not ID.fullmatch(value):
        raise ValueError("is not an XCover id")
    return value


def moment(value: Any) -> datetime:
    """Return an RFC 3339 date-time in UTC: `Z` or offset, `T` or space, 0 to 9 fraction digits.

    Digits below the microsecond are dropped. XCover's 2026 responses also have plain dates and
    date-times without an offset. They are read as UTC, like all its other times (inferred).
    Values outside EARLIEST and LATEST are placeholders and are clamped to this range.
    """
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not a date-time")
    day, clock, fraction, offset = match.groups()
    zone = "+00:00" if offset in {None, "Z", "z"} else offset
    text = f"{day}T{clock or '00:00:00'}.{(fraction or '')[:6]:0<6}{zone}"
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is not a date-time") from None
    return min(max(at, EARLIEST), LATEST)


def duration(value: Any) -> timedelta:
    """Return a `[D ]HH:MM:SS[.f]` duration. Raise ValueError for anything else."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is not a duration")
    days, hours, minutes, seconds, fraction = (group or "0" for group in match.groups())
    try:
        return timedelta(
            days=int(days),
            hours=int(hours),
            minutes=int(minutes),
            seconds=int(seconds),
            microseconds=int(f"{fraction[:6]:0<6}"),
        )
    except OverflowError:
        raise ValueError("is not a duration") from None


T = TypeVar("T")
# The longest recorded status has 15 characters; future ones may be longer.
LONGEST_WORD = 32


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of a response, and its dotted path for errors."""

    data: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of(cls, value: Any, path: str = "") -> Fields:
        """Return the fields of `value`. Raise UnexpectedAnswer if it is not an object."""
        if not isinstance(value, Mapping):
            raise UnexpectedAnswer.at(path or "answer", "is not an object")
        return cls(value, path)

    def at(self, name: str) -> str:
        """Return the dotted path of one field."""
        return f"{self.path}.{name}" if self.path else name

    def required(self, read: Callable[[Any], T], name: str) -> T:
        """Return the field as `read` converts it. Raise UnexpectedAnswer if absent or malformed."""
        if self.data.get(name) is None:
            raise UnexpectedAnswer.at(self.at(name), "is missing")
        try:
            return read(self.data[name])
        except (TypeError, ValueError) as error:
            raise UnexpectedAnswer.at(self.at(name), str(error)) from None

    def optional(self, read: Callable[[Any], T], name: str) -> T | None:
        """Return the field as `read` converts it, or None if absent or null.

        Absence is normal, because XCover added keys over the years.
        """
        return None if self.data.get(name) is None else self.required(read, name)

    def amount(self, name: str) -> Decimal | None:
        """Return an amount, or None if absent or null."""
        return self.optional(amount, name)

    def moment(self, name: str) -> datetime | None:
        """Return an aware datetime in UTC, or None if absent or null."""
        return self.optional(moment, name)

    def duration(self, name: str) -> timedelta | None:
        """Return a duration, or None if absent or null."""
        return self.optional(duration, name)

    def text(self, name: str) -> str:
        """Return a text, or "" if absent or null."""
        return self.optional(_text, name) or ""

    def word(self, name: str, *, longest: int = LONGEST_WORD) -> str:
        """Return a required, short, non-empty text, such as a status."""
        value = self.required(_word, name)
        if len(value) > longest:
            raise UnexpectedAnswer.at(self.at(name), "is too long")
        return value

    def id(self, name: str) -> str:
        """Return a required id."""
        return self.required(identifier, name)

    def optional_id(self, name: str) -> str:
        """Return an id, or "" if absent, null or empty."""
        return self.id(name) if self.text(name) else ""

    def flag(self, name: str) -> bool | None:
        """Return a boolean, or None if absent or null."""
        return self.optional(_flag, name)

    def below(self, name: str) -> Fields:
        """Return the object under `name`, or an empty one if absent or null."""
        value = self.data.get(name)
        return Fields.of({} if value is None else value, self.at(name))

    def rows(self, name: str) -> list[Fields]:
        """Return the objects in the list under `name`, or [] if absent or null."""
        value = self.data.get(name) or []
        if not isinstance(value, list):
            raise UnexpectedAnswer.at(self.at(name), "is not a list")
        return [Fields.of(row, f"{self.at(name)}.{index}") for index, row in enumerate(value)]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("is not a string")
    return value


def _word(value: Any) -> str:
    if not _text(value).strip():
        raise ValueError("is empty")
    if not value.isprintable():  # because it is logged
        raise ValueError("is not printable")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("is not a boolean")
    return value
