"""What a run has seen, and what it must never see."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.fuzz.strictness import as_strict_as_any

EXAMPLES = 20
# A report of progress after so many inputs.
OFTEN = 5000
# What `services.running` and `services.webhooks` say of an error that nobody foresaw.
UNFORESEEN = "unexpectedly"


@dataclass
class Report:
    """Outcomes by name, and each thing that must not be, with the input that led to it.

    `telling` is the input in hand, for whoever notices something while it is worked on. `progress`
    is told of this report now and then, `alarm` of each example at once: a run can be ended early.
    """

    seed: int
    cases: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)
    telling: dict[str, Any] = field(default_factory=dict)
    progress: Callable[[Report], None] = lambda report: None
    alarm: Callable[[dict[str, Any]], None] = lambda example: None

    def begin(self, **told: Any) -> None:
        """Count the next input, described by `told`."""
        self.cases += 1
        self.telling = told
        if self.cases % OFTEN == 0:
            self.progress(self)

    def fault(self, what: str, **facts: Any) -> None:
        """Count something that must not be."""
        self.faults[what] += 1
        if self.faults[what] <= 2 and len(self.examples) < EXAMPLES:
            self.examples.append({"fault": what, **facts, **self.telling})
            self.alarm(self.examples[-1])

    def as_json(self) -> dict[str, Any]:
        """Return plain values, the commonest first."""
        return {
            "seed": self.seed,
            "cases": self.cases,
            "outcomes": dict(self.outcomes.most_common()),
            "faults": dict(self.faults.most_common()),
            "examples": self.examples,
        }


def report_of(run: Callable[[int, Report], None], count: int) -> dict[str, Any]:
    """Return what a short run of a fuzzer found, with a database that refuses what any does."""
    report = Report(seed=20261121)
    with as_strict_as_any():
        run(count, report)
    return report.as_json()


class Listener(logging.Handler):
    """Reads along what is logged: no secret, no personal data, no forged line."""

    def __init__(self, report: Report, secrets: frozenset[str]) -> None:
        super().__init__(logging.DEBUG)
        self._report, self._secrets = report, secrets

    def emit(self, record: logging.LogRecord) -> None:
        """Count a line that tells too much, an unforeseen error, a line break from outside."""
        text = self.format(record)
        for secret in self._secrets:
            if secret in text:
                self._report.fault("told in a log", line=text[:500])
        if UNFORESEEN in text:
            self._report.fault("unforeseen error", line=text[-900:])
        elif any(not (c.isprintable()) for c in record.getMessage()):
            self._report.fault("control character in a log", line=repr(text[:500]))


@contextmanager
def listening(report: Report, *secrets: str) -> Iterator[None]:
    """Read along everything this package and Django log meanwhile, at every level."""
    listener = Listener(report, frozenset(secrets))
    loggers = [logging.getLogger(name) for name in ("django_xcover", "django.request")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.addHandler(listener)
        logger.setLevel(logging.DEBUG)
        logger.propagate = False
    try:
        yield
    finally:
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.removeHandler(listener)
            logger.setLevel(level)
            logger.propagate = propagate
