"""A wire object's fields, each read as what it must be, or refused by its path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django_xcover.client.errors import UnexpectedAnswer

# A tax rate has 20 decimals, an amount never 16 digits before the point (recorded contract).
MOST_DIGITS = 40
# As many as columns keep: what is read is compared with what is stored, on every database alike.
DECIMALS = 4
# Columns hold 15 digits before the point, and sums of a hundred such amounts fit as well.
LARGEST = Decimal(10) ** 13
# The first and the last moment that the clocks of all time zones can show.
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
# Ids are taken as they are, case included; what no id can hold would change a path.
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_AMOUNT = re.compile(r"[+-]?\d+(\.\d+)?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?\s?([Zz]|[+-]\d\d:\d\d)?)?", re.ASCII
)
_DURATION = re.compile(r"(?:(\d{1,9}) )?(\d{1,9}):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?", re.ASCII)


def amount(value: Any) -> Decimal:
    """Return an amount given as a JSON number or as decimal text; floats are not exact enough.

    More than DECIMALS are rounded, half to even as Django does: no currency has so many.
    """
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError("is no amount")
    if isinstance(value, str) and not _AMOUNT.fullmatch(value):
        raise ValueError("is no amount")
    number = Decimal(value)
    in_range = number.is_finite() and abs(number.adjusted()) <= MOST_DIGITS
    if not in_range or abs(number) >= LARGEST:
        raise ValueError("is no amount")
    kept = round(number, DECIMALS)
    return number if number == kept else kept


def identifier(value: Any) -> str:
    """Return an id as it came; it goes into paths and columns."""
    if not isinstance(value, str):
        raise TypeError("is no text")
    if not ID.fullmatch(value):
        raise ValueError("is no XCover id")
    return value


def moment(value: Any) -> datetime:
    """Return an RFC 3339 date-time in UTC: `Z` or offset, `T` or blank, 0 to 9 fraction digits.

    Digits below the microsecond are dropped. XCover's 2026 answers also have bare dates and
    date-times without offset: they are taken as UTC, in which all its other times are (inferred).
    What lies before EARLIEST or after LATEST stands for no moment, and is read as these.
    """
    match = _MOMENT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is no date-time")
    day, clock, fraction, offset = match.groups()
    zone = "+00:00" if offset in {None, "Z", "z"} else offset
    text = f"{day}T{clock or '00:00:00'}.{(fraction or '')[:6]:0<6}{zone}"
    try:
        at = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no date-time") from None
    return min(max(at, EARLIEST), LATEST)


def duration(value: Any) -> timedelta:
    """Return a `[D ]HH:MM:SS[.f]` duration."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("is no duration")
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
        raise ValueError("is no duration") from None


T = TypeVar("T")
# The longest status recorded has 15 characters; one of XCover's future may be longer.
LONGEST_WORD = 32


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object of an answer and its dotted path (for errors)."""

    data: Mapping[str, Any]
    path: str = ""

    @classmethod
    def of(cls, value: Any, path: str = "") -> Fields:
        """Return the fields of `value`; raise UnexpectedAnswer when it is no object."""
        if not isinstance(value, Mapping):
            raise UnexpectedAnswer.at(path or "answer", "is no object")
        return cls(value, path)

    def at(self, name: str) -> str:
        """Return the dotted path of one field."""
        return f"{self.path}.{name}" if self.path else name

    def required(self, read: Callable[[Any], T], name: str) -> T:
        """Return the field through `read`; raise UnexpectedAnswer when absent or malformed."""
        if self.data.get(name) is None:
            raise UnexpectedAnswer.at(self.at(name), "is missing")
        try:
            return read(self.data[name])
        except (TypeError, ValueError) as error:
            raise UnexpectedAnswer.at(self.at(name), str(error)) from None

    def optional(self, read: Callable[[Any], T], name: str) -> T | None:
        """Return the field through `read`, None when absent or null: keys came over the years."""
        return None if self.data.get(name) is None else self.required(read, name)

    def amount(self, name: str) -> Decimal | None:
        """Return an amount or None."""
        return self.optional(amount, name)

    def moment(self, name: str) -> datetime | None:
        """Return an aware datetime in UTC, or None."""
        return self.optional(moment, name)

    def duration(self, name: str) -> timedelta | None:
        """Return a duration or None."""
        return self.optional(duration, name)

    def text(self, name: str) -> str:
        """Return a text, "" when absent or null."""
        return self.optional(_text, name) or ""

    def word(self, name: str, *, longest: int = LONGEST_WORD) -> str:
        """Return a short text that must be there and not be empty, such as a status."""
        value = self.required(_word, name)
        if len(value) > longest:
            raise UnexpectedAnswer.at(self.at(name), "is too long")
        return value

    def id(self, name: str) -> str:
        """Return an id that must be there."""
        return self.required(identifier, name)

    def perhaps_id(self, name: str) -> str:
        """Return an id, "" when absent, null or empty."""
        return self.id(name) if self.text(name) else ""

    def flag(self, name: str) -> bool | None:
        """Return a truth value or None."""
        return self.optional(_flag, name)

    def below(self, name: str) -> Fields:
        """Return the object under `name`, an empty one when absent or null."""
        value = self.data.get(name)
        return Fields.of({} if value is None else value, self.at(name))

    def rows(self, name: str) -> list[Fields]:
        """Return the objects in the list under `name`, [] when absent or null."""
        value = self.data.get(name) or []
        if not isinstance(value, list):
            raise UnexpectedAnswer.at(self.at(name), "is no list")
        return [Fields.of(row, f"{self.at(name)}.{place}") for place, row in enumerate(value)]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("is no text")
    return value


def _word(value: Any) -> str:
    if not _text(value).strip():
        raise ValueError("is empty")
    if not value.isprintable():  # it is logged
        raise ValueError("is no word")
    return str(value)


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("is neither true nor false")
    return value
