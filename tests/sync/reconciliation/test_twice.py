"""Whatever went wrong: running it twice comes to the same as running it once."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from django_xcover.models import Discrepancy, Operation, Quote, QuotePackage
from django_xcover.sandbox import Sandbox
from django_xcover.sync import reconciliation
from tests.examples import examples
from tests.sync.reconciliation.conftest import Buy, cancel_at_xcover, forget

pytestmark = pytest.mark.every_engine

# The database is one for all examples.
NUMBERS = count(1)
TROUBLES = ("none", "cancelled", "forgotten", "lost", "price", "mirror", "refused", "account")


def trouble(kind: str, number: int, buy: Buy, sandbox: Sandbox) -> None:
    """Let an order be placed and something happen to it."""
    if kind in {"price", "refused"}:
        fault: dict[str, Any] = {"kind": "wrong_price"}
        fault = fault if kind == "price" else {"kind": "status", "status": 422}
        sandbox.faults.add("create_booking", **fault)
    package = buy(number)
    rows = QuotePackage.objects.filter(pk=package.pk)
    if kind == "cancelled":
        cancel_at_xcover(package)
    elif kind == "forgotten":
        forget(package)
    elif kind == "lost":
        rows.update(package_id=f"LOST{number}-AAAAA-INS")
    elif kind == "mirror":
        rows.update(status="CANCELLED")
    elif kind == "account":
        rows.update(account="eu")


def everything() -> list[Any]:
    """Return all rows that reconciliation may write, without the times at which it did."""
    rows: list[Any] = []
    for model, times in (
        (QuotePackage, {"updated_at", "reconciled_at"}),
        (Quote, {"updated_at"}),
        (Operation, {"updated_at"}),
        (Discrepancy, {"updated_at", "last_seen_at"}),
    ):
        names = [f.attname for f in model._meta.concrete_fields if f.name not in times]
        rows += model._default_manager.order_by("pk").values_list(*names)
    return rows


@pytest.mark.django_db
@settings(
    max_examples=examples(15, least=5),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(kinds=st.lists(st.sampled_from(TROUBLES), min_size=1, max_size=4), fix=st.booleans())
def test_twice_is_once(buy: Buy, sandbox: Sandbox, kinds: list[str], fix: bool) -> None:
    for kind in kinds:
        trouble(kind, next(NUMBERS), buy, sandbox)
    reconciliation.reconcile("default", fix=fix)
    once = everything()

    report = reconciliation.reconcile("default", fix=fix)

    assert everything() == once
    assert (report.opened, report.closed, report.mended) == (0, 0, 0)
    assert report.is_finished
