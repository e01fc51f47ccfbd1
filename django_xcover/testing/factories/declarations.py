"""Declarations that several factories share: times and ids."""

from __future__ import annotations

import uuid
from datetime import timedelta
from itertools import count
from typing import Any

import factory
from django.utils import timezone

# XCover's alphabet: no similar characters and no lower-case letters (recorded).
PACKAGE_ALPHABET = "346789ABCDEFGHJKLMNPQRTUVWXY"
_numbers = count(1)


def after(**span: float) -> Any:
    """Declare the time `span` (timedelta arguments) from now. Negative values lie in the past."""
    return factory.LazyFunction(lambda: timezone.now() + timedelta(**span))


NOW = factory.LazyFunction(timezone.now)


def new_package_id() -> str:
    """Return a unique package id in XCover's format."""
    number, letters = next(_numbers), ""
    for _ in range(10):
        number, rest = divmod(number, len(PACKAGE_ALPHABET))
        letters = PACKAGE_ALPHABET[rest] + letters
    return f"{letters[:5]}-{letters[5:]}-INS"


def mixed_id(suffix: str) -> Any:
    """Declare an id in mixed case, as XCover uses for cancellations, changes and renewals."""
    return factory.Sequence(lambda number: f"aB3dE-fGh4J-{number:05}-{suffix}")


def new_uuid() -> str:
    """Return a new id for a quote or an instalment."""
    return str(uuid.uuid4())
