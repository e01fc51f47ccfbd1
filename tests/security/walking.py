"""Every address of a URL configuration, so that a new one is tried without being listed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from django.urls import URLPattern, URLResolver, get_resolver

_PLACE = re.compile(r"<(?:(\w+):)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


def addresses(values: Mapping[str, str], *, below: str) -> Iterator[str]:
    """Yield each path that starts with `below`, with `values` in its places."""
    for raw in _patterns(get_resolver().url_patterns):
        filled = _PLACE.sub(lambda match: values.get(match[2] or match[3], "1"), raw)
        path = "/" + filled.replace("^", "").replace("$", "").replace("\\Z", "")
        if path.startswith(below):
            yield path


def _patterns(entries: Sequence[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for entry in entries:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _patterns(entry.url_patterns, route)
        else:
            yield route
