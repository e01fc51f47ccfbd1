"""The outbox: claimed once, settled once, tried again as XCover asks, never lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from django_xcover import signals, worker
from django_xcover.client import HeldBack
from django_xcover.models import Operation, OperationKind, OperationState, QuotePackage
from django_xcover.outbox import lease, operations
from django_xcover.outbox.operations import Failure
from django_xcover.outbox.transitions import transition
from django_xcover.sandbox import Sandbox
from tests import completion
from tests.conftest import Shopper, the_operation, the_package
from tests.shop import ANA, Shop

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
Ran = Callable[[], Operation]


@pytest.fixture
def booking(shopper: Shopper, shop: Shop) -> Operation:
    """Return the operation of a paid order with cover, not yet carried out."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    return the_operation()


@pytest.fixture
def needing_person() -> Iterator[list[Operation]]:
    """Return the operations that were announced as needing a person."""
    heard: list[Operation] = []

    def hear(sender: type, operation: Operation, **kwargs: Any) -> None:
        heard.append(operation)

    signals.operation_needs_person.connect(hear)
    yield heard
    signals.operation_needs_person.disconnect(hear)


def run_due(operation: Operation) -> Operation:
    """Let the time of the next attempt come, make the attempt, and return the operation."""
    Operation.objects.filter(pk=operation.pk).update(next_attempt_at=timezone.now())
    worker.run(operation.pk)
    operation.refresh_from_db()
    return operation


def test_a_key_and_a_body_are_stored_before_anything_is_sent(booking: Operation) -> None:
    assert len(booking.idempotency_key) == 36
    assert booking.request["policyholder"]["email"] == ANA.email
    assert booking.request["partner_transaction_id"] == "ORD-1"


def test_the_body_with_its_personal_data_is_gone_once_it_is_done(booking: Operation) -> None:
    assert run_due(booking).state == OperationState.DONE
    assert booking.request == {}
    assert booking.finished_at is not None


def test_only_one_worker_gets_it(booking: Operation) -> None:
    first, second = operations.claim(booking.pk), operations.claim(booking.pk)

    assert first is not None
    assert second is None


def test_of_two_workers_that_saw_it_free_only_one_gets_it(
    booking: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival: list[Operation | None] = []

    def rival_comes_in_between(operation: Operation, *args: Any, **facts: Any) -> bool:
        monkeypatch.undo()
        rival.append(operations.claim(operation.pk))
        return transition(operation, *args, **facts)

    monkeypatch.setattr(lease, "transition", rival_comes_in_between)

    assert operations.claim(booking.pk) is None
    assert rival[0] is not None


def test_a_finished_operation_is_not_carried_out_again(
    booking: Operation, sandbox: Sandbox
) -> None:
    run_due(booking)
    worker.run(booking.pk)

    assert len(sandbox.calls("create_booking")) == 1


def test_an_unknown_operation_is_nobodys_error() -> None:
    worker.run(404)


@pytest.mark.parametrize("status", [423, 429, 502, 503, 504])
def test_a_busy_vendor_is_asked_again_with_the_same_key(
    booking: Operation, sandbox: Sandbox, status: int
) -> None:
    key = booking.idempotency_key
    sandbox.faults.add("create_booking", "status", status=status, times=5)

    assert run_due(booking).state == OperationState.PENDING
    assert booking.next_attempt_at > timezone.now() + timedelta(seconds=100)
    assert booking.error["status"] == status

    assert run_due(booking).state == OperationState.DONE
    keys = {call.idempotency_key for call in sandbox.calls("create_booking")}
    assert keys == {key}


@time_machine.travel(datetime(2026, 3, 2, 10, tzinfo=UTC), tick=False)
def test_waiting_times_double_and_obey_retry_after() -> None:
    now = timezone.now()

    first = (lease.next_attempt(1, 0) - now).total_seconds()
    third = (lease.next_attempt(3, 0) - now).total_seconds()
    asked = (lease.next_attempt(1, 900) - now).total_seconds()

    assert 120 <= first <= 180
    assert 480 <= third <= 720
    assert asked == 900


def test_a_refusal_is_told_to_a_person_at_once_with_the_vendors_words(
    booking: Operation,
    sandbox: Sandbox,
    needing_person: list[Operation],
    django_capture_on_commit_callbacks: Any,
) -> None:
    body = {
        "type": "validation_error",
        "code": "invalid_phone",
        "message": "An API error occurred.",
        "errors": {"policyholder": {"phone": ["The phone number should start with +"]}},
    }
    sandbox.faults.add("create_booking", "status", status=422, body=body)

    with django_capture_on_commit_callbacks(execute=True):
        run_due(booking)

    assert booking.state == OperationState.NEEDS_PERSON
    assert booking.error["status"] == 422
    assert booking.error["vendor_type"] == "validation_error"
    assert booking.error["code"] == "invalid_phone"
    assert booking.error["message"] == "An API error occurred."
    assert booking.error["field_errors"] == {
        "policyholder.phone": ["The phone number should start with +"]
    }
    assert [operation.pk for operation in needing_person] == [booking.pk]


def test_after_five_failures_a_person_is_told(
    booking: Operation, sandbox: Sandbox, django_capture_on_commit_callbacks: Any
) -> None:
    sandbox.faults.add("create_booking", "status", status=500, times=None)

    for failures in range(1, 5):
        assert run_due(booking).state == OperationState.PENDING
        assert booking.failures == failures

    assert run_due(booking).state == OperationState.NEEDS_PERSON


def test_a_bug_in_our_own_code_loses_nothing(
    booking: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "django_xcover.clients.factory.client_for", lambda name: (_ for _ in ()).throw(KeyError)
    )

    assert run_due(booking).state == OperationState.PENDING
    assert not booking.outcome_known


def test_a_worker_whose_lease_ran_out_cannot_write_its_outcome(
    booking: Operation, sandbox: Sandbox
) -> None:
    late = operations.claim(booking.pk)
    assert late is not None
    Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert operations.claim(booking.pk) is not None

    assert not operations.finish(late)
    operations.fail(late, Failure(type="X", message="", permanent=True, outcome_known=True))

    booking.refresh_from_db()
    assert booking.state == OperationState.RUNNING
    assert not booking.outcome_known


def test_a_booking_that_gets_no_turn_waits_as_asked_and_has_made_no_attempt(
    booking: Operation,
) -> None:
    Operation.objects.update(attempts=2)
    claimed = operations.claim(booking.pk)
    assert claimed is not None

    operations.postpone(claimed, HeldBack(retry_after=7))

    booking.refresh_from_db()
    assert (booking.state, booking.attempts, booking.failures) == (OperationState.PENDING, 2, 0)
    wait = booking.next_attempt_at - timezone.now()
    assert timedelta(seconds=5) < wait <= timedelta(seconds=7)


def test_the_sweeper_finds_what_was_lost_and_what_died(booking: Operation) -> None:
    assert operations.sweep() == [booking.pk]

    operations.claim(booking.pk)
    assert operations.sweep() == []

    Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert operations.sweep() == [booking.pk]


def worker_dies(operation: Operation, times: int = 1) -> None:
    """Let so many workers take the operation and never be heard of again."""
    for _ in range(times):
        Operation.objects.update(next_attempt_at=timezone.now())
        assert operations.claim(operation.pk) is not None
        Operation.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_what_every_worker_dies_of_is_left_to_a_person_in_the_end(
    booking: Operation,
    needing_person: list[Operation],
    django_capture_on_commit_callbacks: Any,
    sandbox: Sandbox,
) -> None:
    worker_dies(booking, operations.MOST_DEATHS)
    with django_capture_on_commit_callbacks(execute=True):
        run_due(booking)

    assert booking.state == OperationState.NEEDS_PERSON
    assert not booking.outcome_known
    assert booking.error["type"] == "worker_died"
    assert [operation.pk for operation in needing_person] == [booking.pk]
    assert sandbox.calls("create_booking") == []


def test_workers_that_are_killed_again_and_again_bring_no_booking_to_a_person(
    booking: Operation,
) -> None:
    worker_dies(booking, operations.MOST_DEATHS - 1)

    assert run_due(booking).state == OperationState.DONE
    assert booking.error == {}


def test_an_attempt_that_a_worker_outlives_ends_the_count_of_deaths(
    booking: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("get_quote", "status", status=503, times=5)
    worker_dies(booking, operations.MOST_DEATHS - 1)
    assert run_due(booking).failures == 1
    worker_dies(booking, operations.MOST_DEATHS - 1)

    assert run_due(booking).state == OperationState.DONE


def test_what_a_person_tries_again_after_deaths_is_read_before_it_is_posted(
    booking: Operation, sandbox: Sandbox
) -> None:
    key = booking.idempotency_key
    worker_dies(booking, operations.MOST_DEATHS)
    assert operations.retry(run_due(booking))

    assert run_due(booking).state == OperationState.DONE
    assert sandbox.calls("get_quote") != []
    assert {call.idempotency_key for call in sandbox.calls("create_booking")} == {key}


def test_the_sweeper_leaves_alone_what_is_not_due_or_waits_for_a_person(
    booking: Operation,
) -> None:
    later = timezone.now() + timedelta(minutes=2)
    Operation.objects.update(next_attempt_at=later)
    assert operations.sweep() == []

    Operation.objects.update(state=OperationState.NEEDS_PERSON, next_attempt_at=timezone.now())
    assert operations.sweep() == []


def test_what_waits_behind_a_person_does_not_fill_the_sweeps(
    booking: Operation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "SWEEP_LIMIT", 1)
    operations.enqueue(the_package(), OperationKind.CONFIRM_PAYMENT)
    Operation.objects.filter(pk=booking.pk).update(state=OperationState.NEEDS_PERSON)
    lost = operations.enqueue(another_package(), OperationKind.OPT_OUT)

    assert operations.sweep() == [lost.pk]


def test_a_cancellation_waits_for_its_turn_and_for_no_person(booking: Operation) -> None:
    cancellation = operations.enqueue(the_package(), OperationKind.CANCEL)
    assert operations.sweep() == [booking.pk]

    Operation.objects.filter(pk=booking.pk).update(state=OperationState.NEEDS_PERSON)
    assert operations.sweep() == [cancellation.pk]


def test_retry_of_a_refusal_sends_the_mended_data_under_a_new_key(
    booking: Operation, sandbox: Sandbox, shop: Shop
) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    run_due(booking)
    old_key = booking.idempotency_key
    shop.order(policyholder=type(ANA)(**{**_facts(), "first_name": "Anna"}))

    assert operations.retry(booking)
    assert run_due(booking).state == OperationState.DONE

    assert booking.idempotency_key != old_key
    at_xcover = sandbox.package(the_package().package_id)
    assert at_xcover["policyholder"]["first_name"] == "Anna"


def test_retry_of_an_unknown_outcome_keeps_key_and_body(
    booking: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=500, times=None)
    for _ in range(5):
        run_due(booking)
    key, body = booking.idempotency_key, booking.request

    assert operations.retry(booking)

    booking.refresh_from_db()
    assert (booking.idempotency_key, booking.request) == (key, body)
    assert booking.failures == 0


def test_there_is_nothing_to_retry_in_what_is_done_or_running(booking: Operation) -> None:
    running_one = operations.claim(booking.pk)
    assert running_one is not None
    assert not operations.retry(running_one)

    operations.finish(running_one)
    booking.refresh_from_db()
    assert not operations.retry(booking)


def test_retry_now_does_not_wait_for_the_next_attempt(booking: Operation, sandbox: Sandbox) -> None:
    sandbox.faults.add("create_booking", "status", status=503, times=5)
    run_due(booking)

    assert operations.retry(booking)
    worker.run(booking.pk)

    booking.refresh_from_db()
    assert booking.state == OperationState.DONE


def test_what_is_handed_over_is_a_primary_key_after_the_commit(
    shopper: Shopper, shop: Shop, django_capture_on_commit_callbacks: Any
) -> None:
    shopper.says(yes=True)
    heard: list[dict[str, Any]] = []

    def hear(sender: type, **kwargs: Any) -> None:
        heard.append({key: value for key, value in kwargs.items() if key != "signal"})

    signals.operation_ready.connect(hear)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            completion.complete(shop.order(), shopper.cart, paid=True)
            assert heard == []
    finally:
        signals.operation_ready.disconnect(hear)

    assert heard == [{"pk": the_operation().pk}]


def test_done_hands_over_the_next_of_the_package(
    booking: Operation, django_capture_on_commit_callbacks: Any
) -> None:
    following = operations.enqueue(the_package(), OperationKind.CONFIRM_PAYMENT)
    assert operations.claim(following.pk) is None

    with django_capture_on_commit_callbacks() as callbacks:
        run_due(booking)

    handed_over = [getattr(call, "args", None) for call in callbacks]
    assert (following.pk,) in handed_over


def test_so_does_what_turns_out_to_be_no_longer_needed(
    booking: Operation, django_capture_on_commit_callbacks: Any
) -> None:
    following = operations.enqueue(the_package(), OperationKind.CANCEL)
    claimed = operations.claim(booking.pk)
    assert claimed is not None

    with django_capture_on_commit_callbacks() as callbacks:
        assert operations.discard(claimed, "The order was cancelled.")

    handed_over = [getattr(call, "args", None) for call in callbacks]
    assert (following.pk,) in handed_over
    booking.refresh_from_db()
    assert booking.lease_until is None


def test_a_person_who_looks_at_an_old_page_does_not_renew_the_key_of_what_is_in_doubt_now(
    booking: Operation, sandbox: Sandbox
) -> None:
    sandbox.faults.add("create_booking", "status", status=422)
    on_the_page = run_due(Operation.objects.get())
    assert operations.retry(Operation.objects.get())
    sandbox.faults.add("create_booking", "process_then_reset", times=5)
    run_due(booking)
    Operation.objects.update(state=OperationState.NEEDS_PERSON)

    assert not operations.retry(on_the_page)

    booking.refresh_from_db()
    assert booking.state == OperationState.NEEDS_PERSON
    assert booking.request != {}


def test_an_order_whose_shop_forgot_it_tells_a_person_what_is_wrong(
    booking: Operation, shop: Shop
) -> None:
    Operation.objects.update(request={})
    shop.orders.clear()

    assert run_due(booking).state == OperationState.NEEDS_PERSON
    assert "no longer has order ORD-1" in booking.error["message"]


def test_packages_of_other_orders_do_not_wait_for_each_other(booking: Operation) -> None:
    later = operations.enqueue(another_package(), OperationKind.OPT_OUT)

    assert operations.claim(later.pk) is not None


def another_package() -> QuotePackage:
    """Return a package like the only one there is, of another order."""
    other = the_package()
    other.pk, other.package_id, other.order_reference = None, "OTHER-PACKA-INS", "ORD-2"
    other.save(force_insert=True)
    return other


def _facts() -> dict[str, Any]:
    names = ("first_name", "last_name", "email", "country", "phone")
    return {name: getattr(ANA, name) for name in names}
