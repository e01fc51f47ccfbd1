"""What a webhook sets in motion: XCover is asked again, and nothing it said itself is believed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover import tasks
from django_xcover.clients import factory
from django_xcover.mirror import refresh as refreshing
from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.outbox import lease, transitions
from django_xcover.policies import renewal
from django_xcover.sandbox import Sandbox
from django_xcover.sync import webhooks
from django_xcover.sync.webhooks import inbox
from django_xcover.testing.factories import RenewalFactory
from tests.conftest import Shopper, the_package
from tests.sync.webhooks.conftest import Post, body_of, the_delivery

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = WebhookDelivery.State


def process() -> WebhookDelivery:
    """Let a worker take the only delivery there is, and return it."""
    webhooks.process(the_delivery().pk)
    return the_delivery()


def let_it_be_due() -> None:
    """Let the time of the next attempt come."""
    WebhookDelivery.objects.update(next_attempt_at=timezone.now())


def cancel_elsewhere(package: QuotePackage) -> None:
    """Cancel the booking as its customer can, on XCover's own page."""
    factory.client_for("default").cancel_booking(package.package_id, idempotency_key="elsewhere")


def test_a_forged_body_changes_nothing(post: Post, booked: QuotePackage) -> None:
    post(body_of("BOOKING_CANCELLED", booked.package_id, status="CANCELLED", total_price=0))

    assert process().state == State.PROCESSED
    assert the_package().status == "CONFIRMED"
    assert the_package().total_price == booked.total_price


def test_what_happened_elsewhere_is_seen(post: Post, booked: QuotePackage) -> None:
    cancel_elsewhere(booked)
    post(body_of("BOOKING_CANCELLED", booked.package_id))

    delivery = process()

    assert the_package().status == "CANCELLED"
    assert delivery.state == State.PROCESSED
    assert delivery.processed_at is not None


def test_what_comes_late_is_harmless(
    post: Post, booked: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    cancel_elsewhere(booked)
    for event in ("BOOKING_CANCELLED", "BOOKING_CREATED", "BOOKING_UPDATED"):
        post(body_of(event, booked.package_id, status="CONFIRMED"))
    with caplog.at_level(logging.WARNING):
        for pk in WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True):
            webhooks.process(pk)

    assert the_package().status == "CANCELLED"
    assert "cannot follow" not in caplog.text


@pytest.mark.parametrize("event", ["BOOKING_RENAMED", "", "booking_updated"])
def test_an_event_nobody_knows_hints_at_a_booking_as_well(
    post: Post, booked: QuotePackage, event: str
) -> None:
    cancel_elsewhere(booked)
    post(body_of(event, booked.package_id))

    assert process().state == State.PROCESSED
    assert the_package().status == "CANCELLED"


@pytest.mark.parametrize(
    "body",
    [
        body_of(),
        body_of("CLAIM_FILED", ""),
        body_of("RENEWAL_DUE", "aB3dE-9fGhJ-kL2mN-UPD"),
        b'{"event": "BOOKING_CREATED"}',
        b'{"payload": {"id": null}}',
        b"{}",
    ],
)
def test_what_is_about_no_package_of_ours_is_kept_and_reported(
    post: Post, sandbox: Sandbox, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    post(body)

    delivery = process()

    assert delivery.state == State.UNKNOWN
    assert "is about an unknown package" in caplog.text
    assert not sandbox.calls()


def test_another_accounts_package_is_none_of_ours(post: Post, booked: QuotePackage) -> None:
    post(body_of("BOOKING_CANCELLED", booked.package_id), url="/xcover/webhooks/eu/")

    assert process().state == State.UNKNOWN


def test_a_package_whose_case_differs_is_another(post: Post, booked: QuotePackage) -> None:
    post(body_of("BOOKING_CANCELLED", booked.package_id.lower()))

    assert process().state == State.UNKNOWN


def test_a_duplicate_leads_to_the_booking_being_read_again_quietly(
    post: Post, booked: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    post(body_of("BOOKING_UPDATED", booked.package_id))
    process()
    cancel_elsewhere(booked)

    with caplog.at_level(logging.WARNING):
        post(body_of("BOOKING_UPDATED", booked.package_id))
        delivery = process()

    assert the_package().status == "CANCELLED"
    assert (delivery.state, delivery.times_received) == (State.PROCESSED, 2)
    assert not [record for record in caplog.records if record.name == "django_xcover.webhooks"]


def test_what_comes_again_while_it_is_read_is_read_once_more(
    post: Post, booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = body_of("BOOKING_UPDATED", booked.package_id)
    refresh = refreshing.refresh

    def comes_again_meanwhile(package: QuotePackage) -> QuotePackage:
        refreshed = refresh(package)
        cancel_elsewhere(package)
        post(body)
        return refreshed

    monkeypatch.setattr(refreshing, "refresh", comes_again_meanwhile)
    post(body)

    assert process().state == State.RECEIVED
    monkeypatch.setattr(refreshing, "refresh", refresh)
    assert process().state == State.PROCESSED
    assert the_package().status == "CANCELLED"


def test_what_waits_is_processed_once_however_often_it_is_handed_over(
    post: Post, booked: QuotePackage, sandbox: Sandbox
) -> None:
    post(body_of("BOOKING_UPDATED", booked.package_id))
    post(body_of("BOOKING_UPDATED", booked.package_id))
    before = len(sandbox.calls("get_booking"))

    process()
    process()

    assert len(sandbox.calls("get_booking")) == before + 1


@pytest.mark.parametrize("fault", ["reset", "garbage"])
def test_a_vendor_at_fault_is_asked_again_by_the_sweeper(
    post: Post, booked: QuotePackage, sandbox: Sandbox, fault: str
) -> None:
    sandbox.faults.add("*", fault, times=20)
    post(body_of("BOOKING_CANCELLED", booked.package_id))

    delivery = process()

    assert delivery.state == State.RECEIVED
    assert delivery.failures == 1
    assert delivery.next_attempt_at > timezone.now() + timedelta(seconds=100)
    assert webhooks.sweep() == []

    sandbox.faults.clear()
    cancel_elsewhere(booked)
    let_it_be_due()
    assert webhooks.sweep() == [delivery.pk]
    delivery = process()
    assert (delivery.state, delivery.failures, delivery.error) == (State.PROCESSED, 0, "")
    assert the_package().status == "CANCELLED"


def test_after_five_failures_it_is_kept_as_failed_and_reported(
    post: Post, booked: QuotePackage, sandbox: Sandbox, caplog: pytest.LogCaptureFixture
) -> None:
    sandbox.faults.add("*", "status", status=503, times=None)
    post(body_of("BOOKING_UPDATED", booked.package_id))

    for _attempt in range(5):
        let_it_be_due()
        delivery = process()

    assert delivery.state == State.FAILED
    assert delivery.error.startswith("server_fault: 503")
    assert f"Webhook {delivery.pk} failed" in caplog.text
    assert webhooks.sweep() == []


def worker_dies(times: int) -> None:
    """Let so many workers take the only delivery and never be heard of again."""
    for _ in range(times):
        assert inbox.claim(the_delivery().pk) is not None
        let_it_be_due()


def test_what_every_worker_dies_of_is_kept_as_failed_and_reported(
    post: Post, booked: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    post(body_of("BOOKING_UPDATED", booked.package_id))
    worker_dies(5)

    delivery = process()

    assert (delivery.state, delivery.failures) == (State.FAILED, 5)
    assert delivery.error.startswith("worker_died")
    assert f"Webhook {delivery.pk} failed: worker_died" in caplog.text
    assert webhooks.sweep() == []


def test_a_worker_that_outlives_the_others_forgets_their_deaths(
    post: Post, booked: QuotePackage
) -> None:
    post(body_of("BOOKING_UPDATED", booked.package_id))
    worker_dies(4)

    delivery = process()

    assert (delivery.state, delivery.failures, delivery.error) == (State.PROCESSED, 0, "")


@pytest.mark.parametrize("status", [401, 404])
def test_what_xcover_refuses_for_good_is_not_asked_again(
    post: Post,
    booked: QuotePackage,
    sandbox: Sandbox,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.faults.add("*", "status", status=status, times=None)
    post(body_of("BOOKING_UPDATED", booked.package_id))

    delivery = process()

    assert (delivery.state, delivery.failures) == (State.FAILED, 1)
    assert f"Webhook {delivery.pk} failed" in caplog.text


def test_a_person_replays_what_failed(post: Post, booked: QuotePackage) -> None:
    post(body_of("BOOKING_UPDATED", booked.package_id))
    WebhookDelivery.objects.update(state=State.FAILED, failures=5)

    delivery = webhooks.replay(the_delivery())

    assert (delivery.state, delivery.failures, delivery.times_received) == (State.RECEIVED, 0, 1)
    assert process().state == State.PROCESSED


def test_a_crash_between_storing_and_processing_is_swept_up(
    post: Post, booked: QuotePackage
) -> None:
    cancel_elsewhere(booked)
    post(body_of("BOOKING_CANCELLED", booked.package_id))

    assert webhooks.sweep() == [the_delivery().pk]

    inbox.claim(the_delivery().pk)
    assert webhooks.sweep() == []
    let_it_be_due()
    assert webhooks.sweep() == [the_delivery().pk]
    assert process().state == State.PROCESSED
    assert the_package().status == "CANCELLED"


def test_a_worker_whose_lease_ran_out_cannot_write_its_outcome(
    post: Post, booked: QuotePackage
) -> None:
    post(body_of("BOOKING_UPDATED", booked.package_id))
    late = inbox.claim(the_delivery().pk)
    assert late is not None
    let_it_be_due()
    assert inbox.claim(late.pk) is not None

    assert not inbox.settle(late, State.FAILED)
    assert the_delivery().state == State.PROCESSING


def test_of_two_workers_that_saw_it_free_only_one_gets_it(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post()
    transition, rival = transitions.transition, []

    def rival_comes_in_between(*args: Any, **kwargs: Any) -> bool:
        monkeypatch.setattr(lease, "transition", transition)
        rival.append(inbox.claim(the_delivery().pk))
        return transition(*args, **kwargs)

    monkeypatch.setattr(lease, "transition", rival_comes_in_between)

    assert inbox.claim(the_delivery().pk) is None
    assert rival[0] is not None


def test_a_bug_in_our_own_code_loses_nothing_and_tells_nothing(
    post: Post,
    booked: QuotePackage,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    email = "ana@example.com"

    def bug(package: QuotePackage) -> None:
        raise KeyError(email)

    monkeypatch.setattr(refreshing, "refresh", bug)
    post(body_of("BOOKING_UPDATED", booked.package_id))

    delivery = process()

    assert delivery.state == State.RECEIVED
    assert email not in caplog.text + delivery.error
    assert "KeyError" in caplog.text


def test_no_log_repeats_what_a_body_says(
    post: Post, booked: QuotePackage, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        post(
            body_of("BOOKING_UPDATED", booked.package_id, policyholder={"email": "ana@example.com"})
        )
        process()
        post(body_of("x\nforged", "unknown", security_token="t0ken"))
        webhooks.process(WebhookDelivery.objects.latest("pk").pk)

    assert "ana@example.com" not in caplog.text
    assert "t0ken" not in caplog.text
    assert "x\nforged" not in caplog.text


@pytest.mark.parametrize("event", renewal.EVENTS)
def test_a_renewals_event_drives_the_renewal(
    post: Post, booked: QuotePackage, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    heard: list[tuple[str, ...]] = []
    monkeypatch.setattr(renewal, "on_event", lambda *args: heard.append(args))
    post(body_of(event, booked.package_id, renewal_id="AB3DE-9FGHJ-REN"))

    assert process().state == State.PROCESSED
    assert heard == [(event, booked.package_id, "default", "AB3DE-9FGHJ-REN")]


@pytest.mark.parametrize("field", ["renewal_id", "announced_id"])
def test_a_renewals_id_alone_leads_to_its_package(
    post: Post, booked: QuotePackage, monkeypatch: pytest.MonkeyPatch, field: str
) -> None:
    RenewalFactory.create(package=booked, due=True, **{field: "AB3DE-9FGHJ-REN"})
    heard: list[tuple[str, ...]] = []
    monkeypatch.setattr(renewal, "on_event", lambda *args: heard.append(args))
    post(body_of("RENEWAL_DUE", "AB3DE-9FGHJ-REN"))

    process()

    assert heard == [("RENEWAL_DUE", booked.package_id, "default", "AB3DE-9FGHJ-REN")]


def test_a_renewal_that_cannot_be_looked_into_is_tried_again(
    post: Post, booked: QuotePackage, sandbox: Sandbox
) -> None:
    sandbox.faults.add("*", "status", status=503, times=None)
    post(body_of("RENEWAL_DUE", booked.package_id))

    assert process().state == State.RECEIVED


def test_a_quote_that_is_not_booked_is_read_as_a_quote(post: Post, shopper: Shopper) -> None:
    shopper.sees()
    post(body_of("BOOKING_UPDATED", the_package().package_id))

    assert process().state == State.PROCESSED
    assert the_package().status == "RECEIVED"


def test_old_webhooks_are_forgotten_and_no_others(
    post: Post, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "BATCH", 2)
    settings.XCOVER = {**settings.XCOVER, "WEBHOOK_RETENTION_DAYS": 30}
    for number in range(7):
        post(body_of(note=number))
    old = WebhookDelivery.objects.order_by("pk")[:5].values_list("pk", flat=True)
    month_ago = timezone.now() - timedelta(days=30, seconds=1)
    rows = WebhookDelivery.objects.filter(pk__in=list(old))
    rows.update(received_at=month_ago, state=State.FAILED)

    assert webhooks.forget() == 5
    assert WebhookDelivery.objects.count() == 2
    assert webhooks.forget() == 0


def test_the_tasks_are_thin_and_carry_a_primary_key(
    post: Post, booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[Any] = []
    record: Callable[..., None] = lambda *args, **kwargs: sent.append((args, kwargs))  # noqa: E731
    monkeypatch.setattr(tasks.process_delivery, "apply_async", record)
    post(body_of("BOOKING_UPDATED", booked.package_id))
    pk = the_delivery().pk

    tasks.dispatch_delivery(WebhookDelivery, pk=pk)
    assert tasks.delivery_publisher.flush(5)
    tasks.process_delivery(pk)
    tasks.sweep_webhooks()
    tasks.forget_webhooks()

    assert sent == [(((pk,),), {"retry": False})]
    assert the_delivery().state == State.PROCESSED


def test_a_broker_that_cannot_keep_up_leaves_it_to_the_sweeper(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tasks.delivery_publisher, "offer", lambda pk: False)

    tasks.dispatch_delivery(WebhookDelivery, pk=1)

    assert "Webhook 1 waits for the sweeper" in caplog.text


def test_a_broker_that_fails_is_logged_as_a_webhooks(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OSError("amqp://user:password@host refused")

    monkeypatch.setattr(tasks.process_delivery, "apply_async", away)

    tasks.dispatch_delivery(WebhookDelivery, pk=1)

    assert tasks.delivery_publisher.flush(5)
    assert "Webhook 1 was not published (OSError)" in caplog.text
