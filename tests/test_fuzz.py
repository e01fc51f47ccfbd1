"""A short run of `python -m tests.fuzz`: nothing unhandled, nothing told, nothing unsigned kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from django_xcover.client import encoding
from tests.fuzz import answers, deliveries
from tests.fuzz.report import Report
from tests.fuzz.strictness import as_strict_as_any

pytestmark = pytest.mark.django_db
HOOKS, ANSWERS = 2000, 1000


def found_by(run: Callable[[int, Report], None], count: int) -> dict[str, Any]:
    """Return the report of a run with a seed of its own."""
    report = Report(seed=20261121)
    with as_strict_as_any():
        run(count, report)
    return report.as_json()


def test_bent_webhooks_are_refused_or_kept_and_never_an_error() -> None:
    found = found_by(deliveries.run, HOOKS)

    assert found["examples"] == []
    assert found["cases"] == HOOKS
    assert {"200", "400", "404", "405"} <= found["outcomes"].keys()


def test_bent_answers_are_taken_or_refused_and_never_unhandled() -> None:
    found = found_by(answers.run, ANSWERS)

    assert found["examples"] == []
    assert found["cases"] == ANSWERS


def test_a_run_notices_what_must_not_be(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the readers' care for what no database keeps, the same run finds it."""
    monkeypatch.setattr(encoding, "_keepable", lambda value: value)
    monkeypatch.setattr(encoding, "_is_too_deep", lambda value: False)

    found = found_by(answers.run, 400)

    assert found["faults"]
