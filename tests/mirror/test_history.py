"""What happened stays on record: each attempt and each flag is a row of its own."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from django_xcover import signals
from django_xcover.mirror import flags, packages
from django_xcover.models import Attempt, Attention, Flag, Operation, QuotePackage
from django_xcover.outbox import operations
from django_xcover.outbox.operations import Failure
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.shop import Shop
from tests.workers import dies, let_time_pass

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]


@pytest.fixture
def paid(shopper: Shopper, shop: Shop) -> Operation:
    """Return the booking of a paid order, not yet carried out."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


def attempts() -> list[tuple[int, str, str]]:
    return list(Attempt.objects.values_list("number", "outcome", "error"))


def test_each_failed_attempt_stays_on_record_after_the_booking_is_made(
    paid: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=503, times=None)
    for _ in range(2):
        let_time_pass()
        work()
    sandbox.faults.clear()
    let_time_pass()
    work()

    assert attempts() == [
        (1, "failed", "server_fault (503)"),
        (2, "failed", "server_fault (503)"),
        (3, "done", ""),
    ]
    first = Attempt.objects.all()[0]
    assert first.started_at is not None
    assert first.started_at <= first.ended_at


def test_a_worker_that_died_left_an_attempt(paid: Operation) -> None:
    dies(paid, "after the call")
    let_time_pass()
    work()

    assert attempts() == [(1, "died", "worker_died"), (2, "done", "")]


def test_an_attempt_names_the_refused_field_and_not_what_the_customer_typed(
    paid: Operation,
) -> None:
    claimed = operations.claim(paid.pk)
    assert claimed is not None
    failure = Failure(
        type="validation_failed",
        message="ana@example.com is no address",
        permanent=True,
        outcome_known=True,
        status=422,
        vendor_type="validation_error",
        field_errors={"policyholder.email": ["“ana@example.com” is no address"]},
    )

    operations.fail(claimed, failure)

    assert attempts() == [
        (1, "stopped", "validation_failed (422 validation_error): policyholder.email")
    ]


def test_a_worker_that_lost_its_lease_adds_no_attempt(paid: Operation) -> None:
    late = operations.claim(paid.pk)
    assert late is not None
    Operation.objects.update(attempts=2)

    operations.fail(late, Failure(type="Late", message="", permanent=False, outcome_known=True))
    assert not operations.finish(late)

    assert attempts() == []


def test_an_attempt_costs_one_row_more_than_the_change_of_its_operation(paid: Operation) -> None:
    with CaptureQueriesContext(connection) as claiming:
        claimed = operations.claim(paid.pk)
    assert claimed is not None
    failure = Failure(type="Any", message="", permanent=False, outcome_known=True)
    with CaptureQueriesContext(connection) as failing:
        operations.fail(claimed, failure)

    assert len(claiming) == 2, "look, lease"
    assert len(failing) == 2, "plan the next attempt, add this one"


@pytest.fixture
def package(paid: Operation) -> QuotePackage:
    """Return a package that nothing is wrong with."""
    return the_package()


def test_a_package_has_several_flags_at_once(package: QuotePackage) -> None:
    packages.flag(package, Attention.PRICE_DIFFERS)
    packages.flag(package, Attention.REFUND_UNCLEAR)

    assert set(package.flags.open().values_list("reason", flat=True)) == {
        Attention.PRICE_DIFFERS,
        Attention.REFUND_UNCLEAR,
    }
    assert the_package().attention == Attention.REFUND_UNCLEAR


def test_a_flag_that_is_open_is_raised_and_announced_once(
    package: QuotePackage, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[str] = []

    def hear(reason: str, **kwargs: Any) -> None:
        heard.append(reason)

    signals.attention_needed.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        packages.flag(package, Attention.PRICE_DIFFERS)
        packages.flag(package, Attention.REFUND_UNCLEAR)
        packages.flag(package, Attention.PRICE_DIFFERS)
    signals.attention_needed.disconnect(hear)

    assert heard == [Attention.PRICE_DIFFERS, Attention.REFUND_UNCLEAR]
    assert package.flags.count() == 2


def test_a_resolved_flag_stays_with_who_when_and_what_was_done(package: QuotePackage) -> None:
    packages.flag(package, Attention.PRICE_DIFFERS)
    packages.flag(package, Attention.REFUND_UNCLEAR)
    newest = package.flags.get(reason=Attention.REFUND_UNCLEAR)

    assert flags.resolve(newest, by="7", note="Refunded")
    assert not flags.resolve(newest, by="8", note="Refunded again")

    assert (newest.resolved_by, newest.note) == ("7", "Refunded")
    assert newest.resolved_at is not None
    assert the_package().attention == Attention.PRICE_DIFFERS


def test_the_same_reason_is_a_flag_of_its_own_when_it_comes_again(package: QuotePackage) -> None:
    packages.flag(package, Attention.PRICE_DIFFERS)
    flags.resolve(package.flags.get(), by="7", note="Refunded")
    again = the_package()
    packages.flag(again, Attention.PRICE_DIFFERS)

    assert package.flags.count() == 2
    assert package.flags.open().count() == 1


def test_a_reason_that_went_away_by_itself_was_resolved_by_nobody(package: QuotePackage) -> None:
    packages.flag(package, Attention.PAYMENT_OVERDUE)
    packages.flag(package, Attention.PRICE_DIFFERS)

    flags.settle(package, Attention.PAYMENT_OVERDUE)

    ended = package.flags.get(reason=Attention.PAYMENT_OVERDUE)
    assert (ended.is_open, ended.resolved_by) == (False, "")
    assert the_package().attention == Attention.PRICE_DIFFERS


def test_a_package_that_was_flagged_before_there_were_rows_gets_one(package: QuotePackage) -> None:
    then = timezone.now()
    QuotePackage.objects.update(attention=Attention.POLICY_MISSING, updated_at=then)
    migration = importlib.import_module("django_xcover.migrations.0005_flags_of_flagged_packages")

    migration.add_flags(apps, connection.schema_editor())

    flag = Flag.objects.get()
    assert (flag.package, flag.reason, flag.raised_at, flag.is_open) == (
        package,
        Attention.POLICY_MISSING,
        then,
        True,
    )
