"""XCover's spelling of amounts, moments and durations, read into exact Python values.

Each reader raises ValueError, or TypeError, without quoting the value, which may be personal.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

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
