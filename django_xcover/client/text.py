"""Vendor text made safe to carry: no control characters, no endless lines."""

from __future__ import annotations

import re
import unicodedata

TEXT_LIMIT = 500
IDENTIFIER_LIMIT = 80
_NOT_IN_IDENTIFIER = re.compile(r"[^A-Za-z0-9_.\-\[\]]")


def clean(value: object, limit: int = TEXT_LIMIT) -> str:
    """Return `value` as one printable line of at most `limit` characters; "" for no text."""
    if not isinstance(value, str):
        return ""
    # Categories C*: control, format (bidi overrides), surrogates: they forge or garble log lines.
    line = "".join(c if not unicodedata.category(c).startswith("C") else " " for c in value[:5000])
    return " ".join(line.split())[:limit]


def identifier(value: object) -> str:
    """Return `value` with only the characters of a field name, code or id; "" for no text."""
    if not isinstance(value, str):
        return ""
    return _NOT_IN_IDENTIFIER.sub("_", value[:IDENTIFIER_LIMIT])
