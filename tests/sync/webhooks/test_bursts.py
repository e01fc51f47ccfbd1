"""A hundred webhooks about one booking: few readings, and the last change is never missed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from django_xcover.client import ConnectionFailed
from django_xcover.clients import factory
from django_xcover.mirror import refresh as refreshing
from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.sandbox import Sandbox
from django_xcover.sync import webhooks
from django_xcover.sync.webhooks import inbox
from tests.conftest import the_package
from tests.sync.webhooks.conftest import Post, body_of

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = WebhookDelivery.State
Reading = Callable[[QuotePackage], QuotePackage]


def cancel_elsewhere(package: QuotePackage) -> None:
    """Cancel the booking as its customer can, on XCover's own page."""
    factory.client_for("default").cancel_booking(package.package_id, idempotency_key="elsewhere")


def pks() -> list[int]:
    return list(WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True))


def states() -> set[str]:
    return set(WebhookDelivery.objects.values_list("state", flat=True))


def process_all() -> None:
    """Let a worker take all that were handed over, in turn."""
    for pk in pks():
        webhooks.process(pk)


@pytest.fixture
def during_the_reading(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let something happen after XCover has answered and before that is written, once."""
    refresh = refreshing.refresh

    def arrange(happens: Callable[[], Any]) -> None:
        def reading(package: QuotePackage) -> QuotePackage:
            monkeypatch.setattr(refreshing, "refresh", refresh)
            refreshed = refresh(package)
            happens()
            return refreshed

        monkeypatch.setattr(refreshing, "refresh", reading)

    return arrange


def test_a_hundred_that_wait_are_one_reading(
    post: Post, booked: QuotePackage, sandbox: Sandbox
) -> None:
    for number in range(100):
        post(body_of(package_id=booked.package_id, number=number))
    before = len(sandbox.calls("get_booking"))

    process_all()

    assert states() == {State.PROCESSED}
    assert len(sandbox.calls("get_booking")) == before + 1


def test_a_hundred_that_come_while_the_booking_is_read_are_one_more_reading(
    post: Post, booked: QuotePackage, sandbox: Sandbox, during_the_reading: Callable[..., None]
) -> None:
    def a_hundred_come_and_other_workers_try_at_once() -> None:
        cancel_elsewhere(booked)
        for number in range(100):
            post(body_of(package_id=booked.package_id, number=number))
        process_all()

    post(body_of(package_id=booked.package_id))
    during_the_reading(a_hundred_come_and_other_workers_try_at_once)
    before = len(sandbox.calls("get_booking"))

    process_all()
    process_all()

    assert len(sandbox.calls("get_booking")) == before + 2
    assert states() == {State.PROCESSED}
    assert the_package().status == "CANCELLED"


def test_one_body_that_comes_a_hundred_times_while_it_is_read_is_one_more_reading(
    post: Post, booked: QuotePackage, sandbox: Sandbox, during_the_reading: Callable[..., None]
) -> None:
    body = body_of(package_id=booked.package_id)

    def it_comes_again_and_again() -> None:
        cancel_elsewhere(booked)
        for _ in range(100):
            post(body)
            process_all()

    post(body)
    during_the_reading(it_comes_again_and_again)
    before = len(sandbox.calls("get_booking"))

    process_all()
    process_all()

    assert len(sandbox.calls("get_booking")) == before + 2
    assert states() == {State.PROCESSED}
    assert the_package().status == "CANCELLED"


def test_a_change_after_the_list_was_made_is_read_again(
    post: Post, booked: QuotePackage, during_the_reading: Callable[..., None]
) -> None:
    # The second waits when the reading begins, and comes again when XCover has answered already.
    second = body_of(package_id=booked.package_id, number=2)
    post(body_of(package_id=booked.package_id, number=1))
    post(second)

    def the_second_comes_again() -> None:
        cancel_elsewhere(booked)
        post(second)

    during_the_reading(the_second_comes_again)
    webhooks.process(pks()[0])

    assert list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True)) == [
        State.PROCESSED,
        State.RECEIVED,
    ]
    process_all()
    assert the_package().status == "CANCELLED"


def test_what_came_meanwhile_is_handed_over_without_a_sweep(
    post: Post,
    booked: QuotePackage,
    during_the_reading: Callable[..., None],
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    post(body_of(package_id=booked.package_id, number=1))
    during_the_reading(lambda: post(body_of(package_id=booked.package_id, number=2)))
    told: list[int] = []
    monkeypatch.setattr(inbox, "announce", told.append)

    webhooks.process(pks()[0])

    assert told[-1] == pks()[1]


def test_a_worker_that_dies_in_the_reading_holds_nothing_up_after_its_lease(
    post: Post, booked: QuotePackage
) -> None:
    for number in range(3):
        post(body_of(package_id=booked.package_id, number=number))
    assert inbox.claim(pks()[0]) is not None
    cancel_elsewhere(booked)

    webhooks.process(pks()[1])
    assert the_package().status == "CONFIRMED"

    WebhookDelivery.objects.filter(pk=pks()[0]).update(
        next_attempt_at=timezone.now() - timedelta(seconds=1)
    )
    process_all()
    assert the_package().status == "CANCELLED"
    assert states() == {State.PROCESSED}


def test_while_xcover_is_down_a_hundred_are_one_attempt(
    post: Post, booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def down(package: QuotePackage) -> QuotePackage:
        asked.append(package.package_id)
        raise ConnectionFailed("no route")

    for number in range(100):
        post(body_of(package_id=booked.package_id, number=number))
    monkeypatch.setattr(refreshing, "refresh", down)

    process_all()

    assert len(asked) == 1
    assert states() == {State.RECEIVED}


def test_another_bookings_webhook_and_another_accounts_are_read_apart(
    post: Post, booked: QuotePackage
) -> None:
    post(body_of(package_id=booked.package_id))
    post(body_of(package_id="OTHER-00000-INS"))
    post(body_of(package_id=booked.package_id), url="/xcover/webhooks/eu/")

    webhooks.process(pks()[0])

    assert list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True)) == [
        State.PROCESSED,
        State.RECEIVED,
        State.RECEIVED,
    ]


def test_a_renewals_event_is_never_answered_by_a_mere_reading(
    post: Post, booked: QuotePackage
) -> None:
    post(body_of(package_id=booked.package_id))
    post(body_of("RENEWAL_DUE", package_id=booked.package_id))
    post(body_of("RENEWAL_DUE", package_id=booked.package_id, renewal_id="A-REN"))

    webhooks.process(pks()[0])

    left = WebhookDelivery.objects.filter(state=State.RECEIVED)
    assert set(left.values_list("event", flat=True)) == {"RENEWAL_DUE"}
    assert left.count() == 2


def test_what_names_no_booking_waits_beside_nothing(post: Post) -> None:
    post(b'{"event": "PING"}')
    post(b'{"event": "PONG"}')

    webhooks.process(pks()[0])

    assert WebhookDelivery.objects.filter(state=State.RECEIVED).count() == 1
