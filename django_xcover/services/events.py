"""One event of an order's story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django_xcover.models import (
    Cancellation,
    Decision,
    Modification,
    Operation,
    QuotePackage,
    Renewal,
)


class Tone(StrEnum):
    """How an event is meant: good, bad, still to come, or just so."""

    PLAIN = "plain"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to `row` at `at`, or will; `facts` are pairs of label and value."""

    at: datetime
    title: str
    row: QuotePackage | Decision | Operation | Cancellation | Modification | Renewal
    tone: Tone = Tone.PLAIN
    facts: tuple[tuple[str, str], ...] = ()
