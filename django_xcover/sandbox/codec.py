"""JSON on the wire and JSON in the store, both with exact numbers."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import simplejson


def to_wire(body: Any) -> bytes:
    """Return compact raw UTF-8 JSON, as recorded: `£` is not escaped."""
    text = simplejson.dumps(body, use_decimal=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode()


def from_wire(data: bytes) -> Any:
    """Return the parsed value with Decimal for fractions; raise ValueError for invalid JSON."""
    return simplejson.loads(data.decode(), use_decimal=True)


def to_store(value: Any) -> str:
    """Return JSON in which Decimal and datetime keep their type."""
    return simplejson.dumps(value, use_decimal=False, default=_tagged)


def from_store(text: str) -> Any:
    """Return what `to_store` was given."""
    return simplejson.loads(text, object_hook=_untagged)


def _tagged(value: object) -> dict[str, str]:
    if isinstance(value, Decimal):
        return {"$decimal": str(value)}
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    raise TypeError(f"The store cannot hold {type(value).__name__}.")


def _untagged(found: dict[str, Any]) -> Any:
    if "$decimal" in found:
        return Decimal(found["$decimal"])
    if "$time" in found:
        return datetime.fromisoformat(found["$time"])
    return found
