"""What became of a payment is told to XCover, each attempt once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import exceptions, signals
from django_xcover.clients import factory
from django_xcover.mirror import refresh
from django_xcover.models import Instalment, Operation, OperationState
from django_xcover.outbox import operations
from django_xcover.policies import instalments
from django_xcover.sandbox import Sandbox
from tests.conftest import the_package, work
from tests.policies.instalments.conftest import entry

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
MONDAY = datetime(2026, 6, 1, 9, 30, tzinfo=UTC)


@pytest.fixture
def heard() -> Iterator[list[tuple[int, str]]]:
    """Return number and status of each payment that was announced."""
    found: list[tuple[int, str]] = []

    def hear(instalment: Instalment, **kwargs: Any) -> None:
        found.append((instalment.number, instalment.status))

    signals.instalment_reported.connect(hear)
    yield found
    signals.instalment_reported.disconnect(hear)


def let_time_pass() -> None:
    Operation.objects.update(next_attempt_at=timezone.now())


def calls(sandbox: Sandbox) -> int:
    return len(sandbox.calls("report_instalment"))


def test_a_payment_that_was_made_cannot_have_failed(second: Instalment, sandbox: Sandbox) -> None:
    instalments.report(second, paid=True)

    with pytest.raises(exceptions.InstalmentPaid) as before:
        instalments.report(second, paid=False)
    work()
    with pytest.raises(exceptions.InstalmentPaid) as after:
        instalments.report(second, paid=False)

    sentence = "Instalment 2 is paid, so no failed payment can be reported for it."
    assert str(before.value) == str(after.value) == sentence
    assert calls(sandbox) == 1


def test_nothing_is_collected_for_a_policy_that_is_cancelled(second: Instalment) -> None:
    package = the_package()
    factory.client_for("default").cancel_booking(package.package_id, idempotency_key="x")
    refresh.refresh(package)

    with pytest.raises(exceptions.InstalmentNotDue) as refused:
        instalments.report(second, paid=True)

    sentence = "This policy is not in force, so no instalment is to be collected for it."
    assert str(refused.value) == sentence


def test_a_second_payment_is_not_taken_for_the_first(second: Instalment, sandbox: Sandbox) -> None:
    instalments.report(second, paid=True, reference="PAY-1")

    with pytest.raises(exceptions.InstalmentPaidTwice) as refused:
        instalments.report(second, paid=True, reference="PAY-2")
    work()
    with pytest.raises(exceptions.InstalmentPaidTwice):
        instalments.report(second, paid=True, reference="PAY-2")

    sentence = "Instalment 2 has been paid already, by another payment."
    assert str(refused.value) == sentence
    assert calls(sandbox) == 1
    second.refresh_from_db()
    assert second.payment_reference == "PAY-1"


def test_a_payment_of_what_xcover_has_as_paid_is_a_second_one(schedule: list[Instalment]) -> None:
    with pytest.raises(exceptions.InstalmentPaidTwice, match="Instalment 1"):
        instalments.report(schedule[0], paid=True, reference="PAY-2")


def test_a_moment_without_a_time_zone_is_refused(second: Instalment) -> None:
    with pytest.raises(ValueError, match="time zone"):
        instalments.report(second, paid=True, attempted_at=datetime(2026, 6, 1))  # noqa: DTZ001


def test_a_refused_report_waits_for_a_person_and_the_instalment_is_not_paid(
    second: Instalment, sandbox: Sandbox
) -> None:
    operation = instalments.report(second, paid=True)
    sandbox.faults.add("report_instalment", "status", status=422, body={"errors": ["No."]})
    work()

    operation.refresh_from_db()
    second.refresh_from_db()
    assert operation.state == OperationState.NEEDS_PERSON
    assert second.status == "UNPAID"


def test_a_persons_retry_says_when_the_payment_was_made(
    second: Instalment, sandbox: Sandbox
) -> None:
    operation = instalments.report(second, paid=False, attempted_at=MONDAY)
    sandbox.faults.add("report_instalment", "status", status=422, body={"errors": ["No."]})
    work()
    operation.refresh_from_db()

    operations.retry(operation)
    work()

    assert entry(sandbox, second)["failures"] == [
        {"payment_attempted_date": "2026-06-01T09:30:00.000000Z"}
    ]


@pytest.mark.parametrize("fault", ["process_then_reset", "process_then_status"])
def test_a_paid_report_whose_answer_is_lost_is_found_in_the_schedule(
    second: Instalment, sandbox: Sandbox, fault: str
) -> None:
    instalments.report(second, paid=True)
    sandbox.faults.add("report_instalment", fault, times=5, status=500)
    work()
    posts = calls(sandbox)
    let_time_pass()
    work()

    assert calls(sandbox) == posts
    second.refresh_from_db()
    assert second.status == "PAID"


def test_a_failed_report_is_repeated_with_its_key_and_counts_once(
    second: Instalment, sandbox: Sandbox
) -> None:
    operation = instalments.report(second, paid=False)
    sandbox.faults.add("report_instalment", "process_then_status", status=500)
    work()
    let_time_pass()
    work()

    keys = {call.idempotency_key for call in sandbox.calls("report_instalment")}
    assert keys == {operation.idempotency_key}
    assert len(entry(sandbox, second)["failures"]) == 1
    second.refresh_from_db()
    assert (second.status, second.failures) == ("FAILED", 1)


def test_a_failure_that_was_overtaken_by_the_payment_is_not_told(
    second: Instalment, sandbox: Sandbox
) -> None:
    failed = instalments.report(second, paid=False)
    Instalment.objects.filter(pk=second.pk).update(status="PAID")

    work()

    failed.refresh_from_db()
    assert failed.state == OperationState.DISCARDED
    assert calls(sandbox) == 0


def test_an_old_report_repeated_after_the_payment_is_still_the_same_report(
    second: Instalment, sandbox: Sandbox
) -> None:
    failed = instalments.report(second, paid=False, attempted_at=MONDAY)
    instalments.report(second, paid=True)
    work()

    assert instalments.report(second, paid=False, attempted_at=MONDAY) == failed
    assert calls(sandbox) == 2


def test_the_first_instalment_is_paid_already_and_reporting_it_is_harmless(
    schedule: list[Instalment], caplog: pytest.LogCaptureFixture
) -> None:
    first = schedule[0]

    operation = instalments.report(first, paid=True)
    work()
    again = instalments.report(first, paid=True)
    work()

    operation.refresh_from_db()
    first.refresh_from_db()
    assert operation == again
    assert operation.state == OperationState.DONE
    assert first.status == "PAID"
    assert "cannot follow" not in caplog.text


@pytest.mark.parametrize("paid", [True, False])
@pytest.mark.parametrize("attempted_at", [None, MONDAY])
def test_the_same_report_again_is_one_call(
    second: Instalment, sandbox: Sandbox, *, paid: bool, attempted_at: datetime | None
) -> None:
    first = instalments.report(second, paid=paid, attempted_at=attempted_at)
    again = instalments.report(second, paid=paid, attempted_at=attempted_at)
    work()
    afterwards = instalments.report(second, paid=paid, attempted_at=attempted_at)
    work()

    assert first == again == afterwards
    assert calls(sandbox) == 1


def test_the_same_payment_again_is_quiet(second: Instalment) -> None:
    first = instalments.report(second, paid=True, reference="PAY-1")
    again = instalments.report(second, paid=True, reference="PAY-1")
    work()
    afterwards = instalments.report(second, paid=True, reference="PAY-1")

    # Staff who look at the shop's books may report without a reference.
    assert first == again == afterwards == instalments.report(second, paid=True)


def test_a_reference_that_comes_later_is_kept_for_the_payment(second: Instalment) -> None:
    instalments.report(second, paid=True)
    instalments.report(second, paid=True, reference="PAY-1")

    with pytest.raises(exceptions.InstalmentPaidTwice):
        instalments.report(second, paid=True, reference="PAY-2")


def test_a_payment_is_one_however_its_moment_is_told(second: Instalment, sandbox: Sandbox) -> None:
    instalments.report(second, paid=True, attempted_at=MONDAY)
    instalments.report(second, paid=True, attempted_at=MONDAY + timedelta(seconds=2))
    work()

    assert calls(sandbox) == 1


@pytest.mark.parametrize("later", [MONDAY + timedelta(minutes=5), None])
def test_each_failed_attempt_is_told_and_then_the_payment(
    second: Instalment,
    sandbox: Sandbox,
    heard: list[tuple[int, str]],
    later: datetime | None,
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        instalments.report(second, paid=False, attempted_at=MONDAY)
        instalments.report(second, paid=False, attempted_at=later)
        instalments.report(second, paid=True)
        work()

    second.refresh_from_db()
    assert (second.status, second.failures) == ("PAID", 2)
    assert entry(sandbox, second)["status"] == "PAID"
    assert len(entry(sandbox, second)["failures"]) == 2
    assert heard == [(2, "FAILED"), (2, "FAILED"), (2, "PAID")]


def test_the_report_is_the_recorded_one(second: Instalment) -> None:
    operation = instalments.report(second, paid=True, attempted_at=MONDAY)

    operation.refresh_from_db()
    assert operation.request == {
        "quotes": [
            {
                "id": second.quote.quote_id,
                "instalment_number": 2,
                "payment_status": "PAID",
                "payment_attempted_date": "2026-06-01T09:30:00Z",
            }
        ]
    }
    assert instalments.instalment_pk(operation) == second.pk
