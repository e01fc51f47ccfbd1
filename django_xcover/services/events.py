"""One event of an order's story."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django_xcover.models import (
    Cancellation,
    Decision,
    Flag,
    Hold,
    Modification,
    Operation,
    QuotePackage,
    Renewal,
    WebhookDelivery,
)

Row = (
    QuotePackage
    | Decision
    | Operation
    | Cancellation
    | Modification
    | Renewal
    | Flag
    | Hold
    | WebhookDelivery
)


class Tone(StrEnum):
    """How an event is meant: good, bad, still to come, or just so."""

    PLAIN = "plain"
    GOOD = "good"
    WAITING = "waiting"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to `row` at `at`; `facts` are pairs of label and value.

    `by` is the key of the user who did it. What is `planned` has not happened yet.
    """

    at: datetime
    title: str
    row: Row
    tone: Tone = Tone.PLAIN
    facts: tuple[tuple[str, str], ...] = ()
    by: str = ""
    planned: bool = False
