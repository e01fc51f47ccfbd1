"""What health is said of, and the states that it can be in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from django_xcover.support.status import Status


class State(IntEnum):
    """How a subject is; the value is the exit code, as Nagios and its kin read it."""

    WELL = 0
    ATTENTION = 1
    ALARM = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One thing that can be well or not. `account` is "" for what concerns all accounts."""

    name: str
    state: State
    sentence: str
    account: str = ""

    @property
    def exit_code(self) -> int:
        """Return what a monitor that watches this subject alone would get."""
        return int(self.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """Every subject, and the figures that they were judged by."""

    subjects: tuple[Subject, ...]
    status: Status

    @property
    def state(self) -> State:
        """Return the worst state there is."""
        return max((one.state for one in self.subjects), default=State.WELL)

    def problems(self) -> Iterator[Subject]:
        """Yield what is not well, the worst first."""
        ill = (one for one in self.subjects if one.state != State.WELL)
        yield from sorted(ill, key=lambda one: -one.state)
