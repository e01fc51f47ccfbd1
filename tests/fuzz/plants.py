"""Faults planted on purpose, so that a run can show that it would notice them.

`python -m tests.fuzz --plant NAME` runs with one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from unittest import mock

from django.utils.safestring import SafeString, mark_safe

from django_xcover.client import exact_json
from django_xcover.mirror import packages, presentation

UNLIMITED = 10**9


def _as_it_came(value: object) -> SafeString:
    return mark_safe(str(value or ""))  # noqa: S308 - that is what is to be noticed


def no_html_cleaner() -> AbstractContextManager[object]:
    """Show the vendor's HTML as it came."""
    return mock.patch.object(presentation, "clean_html", _as_it_came)


@contextmanager
def uncut_names() -> Iterator[None]:
    """Store names and types at whatever length they came."""
    with (
        mock.patch.object(packages, "LONGEST_NAME", UNLIMITED),
        mock.patch.object(packages, "LONGEST_TYPE", UNLIMITED),
    ):
        yield


@contextmanager
def anything_kept() -> Iterator[None]:
    """Read JSON without regard for what no database keeps."""
    with (
        mock.patch.object(exact_json, "_storable", lambda value: value),
        mock.patch.object(exact_json, "_is_too_deep", return_value=False),
    ):
        yield


PLANTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "": nullcontext,
    **{plant.__name__: plant for plant in (no_html_cleaner, uncut_names, anything_kept)},
}
