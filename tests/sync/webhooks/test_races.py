"""The same webhook at the same moment, over connections of their own."""

from __future__ import annotations

import pytest

from django_xcover.clients import factory
from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.sandbox import Sandbox
from django_xcover.sync import webhooks
from tests.conftest import the_package
from tests.races import together
from tests.sync.webhooks.conftest import Post, body_of, the_delivery

pytestmark = pytest.mark.django_db(transaction=True)


def test_eight_deliveries_of_one_body_are_one_row(post: Post) -> None:
    answers = together(*[post] * 8)

    assert [answer.status_code for answer in answers] == [200] * 8
    assert the_delivery().times_received == 8


def test_eight_workers_read_the_booking_once(
    post: Post, booked: QuotePackage, sandbox: Sandbox
) -> None:
    post(body_of("BOOKING_UPDATED", booked.package_id))
    pk, before = the_delivery().pk, len(sandbox.calls("get_booking"))

    together(*[lambda: webhooks.process(pk)] * 8)

    assert the_delivery().state == WebhookDelivery.State.PROCESSED
    assert len(sandbox.calls("get_booking")) == before + 1


def test_many_webhooks_about_one_booking_at_once_leave_it_right(
    post: Post, booked: QuotePackage
) -> None:
    factory.client_for("default").cancel_booking(booked.package_id, idempotency_key="x")
    for number in range(8):
        post(body_of("BOOKING_UPDATED", booked.package_id, number=number))
    pks = list(WebhookDelivery.objects.values_list("pk", flat=True))

    together(*[lambda pk=pk: webhooks.process(pk) for pk in pks])

    states = set(WebhookDelivery.objects.values_list("state", flat=True))
    assert states == {WebhookDelivery.State.PROCESSED}
    assert the_package().status == "CANCELLED"
