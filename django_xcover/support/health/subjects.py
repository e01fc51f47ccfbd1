"""The subjects of the health, and their states."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from django_xcover.support.status import Status


class State(IntEnum):
    """The state of a subject; the value is the exit code for Nagios and similar monitors."""

    WELL = 0
    ATTENTION = 1
    ALARM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One subject of the health. `account` is "" if it concerns all accounts."""

    name: str
    state: State
    sentence: str
    account: str = ""

    @property
    def exit_code(self) -> int:
        """Return the exit code for a monitor that watches only this subject."""
        return int(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """All subjects, and the figures behind them."""

    subjects: tuple[Subject, ...]
    status: Status

    @property
    def state(self) -> State:
        """Return the worst state of any subject."""
        return max((subject.state for subject in self.subjects), default=State.WELL)

    def problems(self) -> Iterator[Subject]:
        """Yield the subjects that are not well, worst first."""
        ill = (subject for subject in self.subjects if subject.state != State.WELL)
        yield from sorted(ill, key=lambda subject: -subject.state)
