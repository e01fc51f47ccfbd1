"""Why something waits for a person: five misfortunes are XCover's weather, our errors are not."""

from __future__ import annotations

from typing import Any

import pytest

from django_xcover.models import Operation, OperationState
from tests.chaos.explaining import is_tried_out


def stopped(**error: Any) -> Operation:
    return Operation(
        kind="book", state=OperationState.NEEDS_PERSON, failures=5, attempts=5, error=error
    )


@pytest.mark.parametrize("name", ["KeyError", "outcome_unknown", "worker_died", "cannot_perform"])
def test_an_error_of_ours_is_no_weather(name: str) -> None:
    assert not is_tried_out(stopped(type=name, permanent=False))


def test_what_gave_up_before_its_last_attempt_was_not_tried_out() -> None:
    operation = stopped(type="server_fault", permanent=False)
    operation.failures = 4

    assert not is_tried_out(operation)


@pytest.mark.parametrize("name", ["server_fault", "deadline_exceeded", "connection_failed"])
def test_five_misfortunes_in_a_row_are_the_weather(name: str) -> None:
    assert is_tried_out(stopped(type=name, permanent=False))
