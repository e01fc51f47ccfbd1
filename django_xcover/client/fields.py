"""A wire object's fields, each read as what it must be, or refused by its path."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from django_xcover.client import wire
from django_xcover.client.errors import UnexpectedAnswer

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
        return self.optional(wire.amount, name)

    def moment(self, name: str) -> datetime | None:
        """Return an aware datetime in UTC, or None."""
        return self.optional(wire.moment, name)

    def duration(self, name: str) -> timedelta | None:
        """Return a duration or None."""
        return self.optional(wire.duration, name)

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
        return self.required(wire.identifier, name)

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
