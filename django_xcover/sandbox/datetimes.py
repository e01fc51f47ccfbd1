"""Times in the four spellings XCover uses (recorded traffic: dates and durations)."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, datetime, timedelta


def parse(text: str) -> datetime:
    """Return an aware UTC time from RFC 3339 text; raise ValueError for anything else.

    Inferred: a date or time without an offset is taken as UTC.
    """
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def stamp(moment: datetime | None) -> str | None:
    """Return bookkeeping times: `…33.737094Z`, always six digits."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


def offset(moment: datetime) -> str:
    """Return policy dates of packages and bookings: `+00:00`, no fraction when it is zero."""
    return moment.isoformat()


def zulu(moment: datetime) -> str:
    """Return policy dates of cancellations, which end in `Z` instead of `+00:00`."""
    return offset(moment).replace("+00:00", "Z")


def duration(start: datetime, end: datetime | None) -> str | None:
    """Return `[D ]HH:MM:SS[.ffffff]`, exactly end minus start; None without an end (inferred)."""
    if end is None:
        return None
    whole = end - start
    clock = str(timedelta(seconds=whole.seconds, microseconds=whole.microseconds)).zfill(8)
    clock = clock if len(clock.split(".", maxsplit=1)[0]) == 8 else f"0{clock}"
    return f"{whole.days} {clock}" if whole.days else clock


UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


def parse_span(text: str) -> timedelta:
    """Return the time that `400d`, `12h`, `30m`, `90s` or `1d12h` stand for.

    Raises ValueError for anything else, and for more time than a calendar holds.
    """
    if not re.fullmatch(r"(\d{1,6}[dhms])+", text):
        raise ValueError(f"{text!r} is no span of time: write 400d, 12h, 30m, 90s or 1d12h.")
    parts = re.findall(r"(\d+)([dhms])", text)
    return sum((timedelta(**{UNITS[unit]: int(count)}) for count, unit in parts), timedelta())


def add_months(moment: datetime, months: int) -> datetime:
    """Return the same day and time so many months on, or the month's last day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
