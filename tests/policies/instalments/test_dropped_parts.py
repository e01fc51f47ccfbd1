"""A schedule that XCover shortens, while a payment for one of its parts is being reported."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from django_xcover.client.schemas import policies
from django_xcover.models import Instalment, Operation, OperationState
from django_xcover.policies import instalments
from django_xcover.policies.instalments import schedules
from tests.conftest import the_package, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let XCover's schedule have one part from now on."""
    read = policies.instalments_from_wire

    def first_part(wire: Any) -> Any:
        return [replace(one, instalments=one.instalments[:1]) for one in read(wire)]

    monkeypatch.setattr(schedules, "instalments_from_wire", first_part)


def test_a_part_whose_payment_is_being_reported_is_kept(
    schedule: list[Instalment], shortened: None
) -> None:
    instalments.report(schedule[1], paid=True)

    instalments.mirror(the_package())

    assert list(Instalment.objects.order_by("number")) == schedule[:2]
    work()
    operation = Operation.objects.get(kind="report_instalment")
    assert (operation.state, operation.error) == (OperationState.DONE, {})


def test_a_part_that_nobody_paid_is_dropped(schedule: list[Instalment], shortened: None) -> None:
    instalments.mirror(the_package())

    assert list(Instalment.objects.all()) == schedule[:1]
