"""Encode and decode JSON with exact numbers."""

from __future__ import annotations

import datetime as dt
import math
import re
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import simplejson

from django_xcover.client.errors import InvalidPayload

Path = tuple[str, ...]
# A number longer than any amount of money is a mistake, and writing it out could fill the memory.
LARGEST_EXPONENT = 40
# MariaDB stores JSON up to 32 levels deep; the deepest recorded response has nine.
DEEPEST = 20
# An escaped NUL or surrogate. PostgreSQL stores neither, and UTF-8 cannot encode a lone surrogate.
_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


def encode(payload: Mapping[str, Any]) -> bytes:
    """Return `payload` as compact UTF-8 JSON.

    Decimals are written digit by digit, without an exponent. Aware datetimes keep their offset
    (`Z` for UTC). Dates and UUIDs become text. Raise InvalidPayload, which names the field and
    never the value, for naive datetimes, NaN, Infinity and types that JSON cannot represent.
    """
    try:
        text = simplejson.dumps(
            _plain(payload, ()), ensure_ascii=False, allow_nan=False, separators=(",", ":")
        )
        return text.encode()
    except RecursionError:
        raise InvalidPayload("the payload is nested too deeply or contains itself") from None
    except UnicodeEncodeError:
        raise InvalidPayload("the payload contains a lone surrogate") from None


def decode(body: bytes) -> Any:
    """Return decoded JSON with fractions as Decimal. Raise ValueError for anything else.

    Every database can store the result: its texts have no NUL and no lone surrogates, and its
    depth is limited.
    """
    try:
        value = simplejson.loads(body.decode("utf-8-sig"), use_decimal=True, allow_nan=False)
    except (ValueError, ArithmeticError, RecursionError):
        # The library's error contains the whole document.
        raise ValueError("not JSON") from None
    if _is_too_deep(value):
        raise ValueError("not JSON")
    return _storable(value) if _UNSTORABLE.search(body) else value


def _is_too_deep(value: Any) -> bool:
    """Return whether `value` is nested deeper than DEEPEST levels; checked without recursion."""
    level = _containers([value])
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _containers(outer)]
    return bool(level)


def _containers(value: Any) -> list[Any]:
    items = value.values() if isinstance(value, dict) else value
    return [item for item in items if isinstance(item, dict | list)]


def _storable(value: Any) -> Any:
    """Return a copy without NULs and with U+FFFD for lone surrogates."""
    if isinstance(value, str):
        return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_storable(key): _storable(item) for key, item in value.items()}
    return [_storable(item) for item in value] if isinstance(value, list) else value


def _plain(value: Any, path: Path) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, Mapping):
        return {_key(key, path): _plain(item, (*path, str(key))) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, str(index))) for index, item in enumerate(value)]
    return _scalar(value, path)


def _scalar(value: Any, path: Path) -> Any:
    if isinstance(value, Decimal | float):
        return _number(value, path)
    if isinstance(value, dt.datetime):
        return _moment(value, path)
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, uuid.UUID):
        return str(value)
    kind = type(value).__name__
    raise InvalidPayload(f"{_at(path)} is of type {kind}, which JSON cannot represent")


def _number(value: Decimal | float, path: Path) -> Any:
    if not math.isfinite(value):
        raise InvalidPayload(f"{_at(path)} is not a finite number")
    if isinstance(value, float):
        return value
    if abs(value.adjusted()) > LARGEST_EXPONENT:
        raise InvalidPayload(f"{_at(path)} is too large or too small for an amount")
    return simplejson.RawJSON(format(value, "f"))  # recorded amounts never have an exponent


def _moment(value: dt.datetime, path: Path) -> str:
    offset = value.utcoffset()
    if offset is None:
        raise InvalidPayload(f"{_at(path)} is a datetime without a time zone")
    if offset.total_seconds() % 60:  # local mean time has seconds, RFC 3339 offsets do not
        value = value.astimezone(dt.UTC)
    text = value.isoformat()
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def _key(key: Any, path: Path) -> str:
    if not isinstance(key, str):
        raise InvalidPayload(f"{_at(path)} has a key that is not a str")
    return key


def _at(path: Path) -> str:
    return ".".join(path) or "the payload"
