"""What is kept of an error is its code; rows that kept the name of a class are carried over."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from django_xcover.client import XCoverError
from django_xcover.models import Attempt
from django_xcover.outbox import failures
from django_xcover.outbox.failures import FAULTS
from django_xcover.testing.factories import (
    AttemptFactory,
    OperationFactory,
    ReconciliationFactory,
    WebhookDeliveryFactory,
)
from django_xcover.values import UnusableValue
from tests.conftest import Shopper, the_package
from tests.docs.exceptions import family

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
migration = importlib.import_module("django_xcover.migrations.0016_codes_of_stored_failures")

# The names that rows have of classes that were renamed since.
NAMES_THEN = {"CannotPerform": "Unworkable", "OutcomeUnknown": "Undecided"}
KEPT = {
    "ValidationFailed": "validation_failed",
    "Undecided": "outcome_unknown",
    "Unworkable": "cannot_perform",
    "WorkerDied": "worker_died",
    "KeyError": "KeyError",
}


def test_the_migration_knows_every_error_that_was_kept() -> None:
    kept: set[type[Any]] = {*family(XCoverError), UnusableValue}
    kept |= {failures.OutcomeUnknown, failures.CannotPerform}

    codes = {NAMES_THEN.get(error.__name__, error.__name__): error.code for error in kept}
    assert codes.items() <= migration.CODES.items()
    assert len(set(migration.CODES.values())) == len(migration.CODES)
    assert set(FAULTS) <= set(migration.CODES.values())


@pytest.mark.parametrize(("name", "code"), KEPT.items())
def test_operations_and_attempts_are_carried_over_and_back(
    shopper: Shopper, name: str, code: str
) -> None:
    shopper.says(yes=True)
    error = {"type": name, "message": f"{name}: as it was", "status": 422}
    operation = OperationFactory.create(package=the_package(), error=error)
    at = {"started_at": operation.created_at}
    brief = AttemptFactory.create(
        operation=operation, number=1, outcome="failed", error=f"{name} (422): phone", **at
    )
    bare = AttemptFactory.create(operation=operation, number=2, outcome="failed", error=name, **at)

    migration.to_codes(apps, connection.schema_editor())

    operation.refresh_from_db()
    assert operation.error == {**error, "type": code}
    assert set(Attempt.objects.values_list("error", flat=True)) == {f"{code} (422): phone", code}

    migration.to_names(apps, connection.schema_editor())

    for row in (operation, brief, bare):
        row.refresh_from_db()
    assert operation.error == error
    assert (brief.error, bare.error) == (f"{name} (422): phone", name)


def test_passes_and_deliveries_are_carried_over_and_back() -> None:
    run = ReconciliationFactory.create(error="AuthenticationFailed")
    delivery = WebhookDeliveryFactory.create(failed=True, error="LockedOut: no name of ours")
    died = WebhookDeliveryFactory.create(
        failed=True, error="WorkerDied: the last worker died of it."
    )

    migration.to_codes(apps, connection.schema_editor())

    for row in (run, delivery, died):
        row.refresh_from_db()
    assert run.error == "authentication_failed"
    assert delivery.error == "LockedOut: no name of ours"
    assert died.error == "worker_died: the last worker died of it."

    migration.to_names(apps, connection.schema_editor())

    for row in (run, died):
        row.refresh_from_db()
    assert (run.error, died.error) == (
        "AuthenticationFailed", "WorkerDied: the last worker died of it.",
    )  # fmt: skip
