"""Times in the four formats XCover uses (recorded traffic: dates and durations)."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta


def parse(text: str) -> datetime:
    """Return an aware UTC time from RFC 3339 text. Raise ValueError for anything else.

    Inferred: a date or time without an offset is read as UTC.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def stamp(moment: datetime | None) -> str | None:
    """Return a bookkeeping time: `…33.737094Z`, always with six digits."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


def offset(moment: datetime) -> str:
    """Return a policy date of a package or booking: `+00:00`, without a fraction if it is zero."""
    return moment.isoformat()


def zulu(moment: datetime) -> str:
    """Return a policy date of a cancellation, which ends in `Z` instead of `+00:00`."""
    return offset(moment).replace("+00:00", "Z")


def duration(start: datetime, end: datetime | None) -> str | None:
    """Return end minus start as `[D ]HH:MM:SS[.ffffff]`, or None without an end (inferred)."""
    if end is None:
        return None
    whole = end - start
    clock = str(timedelta(seconds=whole.seconds, microseconds=whole.microseconds)).zfill(8)
    clock = clock if len(clock.split(".", maxsplit=1)[0]) == 8 else f"0{clock}"
    return f"{whole.days} {clock}" if whole.days else clock


UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_span(text: str) -> timedelta:
    """Return the timedelta for text such as `400d`, `12h`, `30m`, `90s` or `1d12h`.

    Raise ValueError for anything else, and OverflowError for more than a timedelta can hold.
    """
    if not re.fullmatch(r"(\d{1,6}[dhms])+", text):
        raise ValueError(f"{text!r} is not a time span such as 400d, 12h, 30m, 90s or 1d12h.")
    parts = re.findall(r"(\d+)([dhms])", text)
    return sum((timedelta(**{UNITS[unit]: int(count)}) for count, unit in parts), timedelta())


def add_months(moment: datetime, months: int) -> datetime:
    """Return the same day and time `months` later, or the last day of that month."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
