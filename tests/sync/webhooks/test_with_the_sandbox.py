"""Webhooks as the sandbox sends them: signed as documented, twice, late, out of order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

import pytest
import time_machine
from celery import current_app
from django.test import Client

from django_xcover import signals
from django_xcover.clients import factory
from django_xcover.models import QuotePackage, Renewal, WebhookDelivery
from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.webhooks import Delivery
from django_xcover.sync import webhooks
from tests import completion
from tests.conftest import Shopper, the_operation, the_package, work
from tests.policies.renewal.conftest import BOUGHT, ENDS, yearly
from tests.serving import serving
from tests.shop import Shop
from tests.sync.webhooks.conftest import KEY, SECRET, URL

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = WebhookDelivery.State


@pytest.fixture
def told(sandbox: Sandbox) -> Sandbox:
    """Return the sandbox, posting its webhooks to the shop in this process."""

    def post(delivery: Delivery) -> int:
        headers = {k: v for k, v in delivery.headers.items() if k != "Content-Type"}
        kind = delivery.headers["Content-Type"]
        return Client().post(URL, delivery.body, content_type=kind, headers=headers).status_code

    sandbox.webhooks.subscribe(post, key=KEY, secret=SECRET)
    return sandbox


@pytest.fixture
def eager() -> Iterator[None]:
    """Let tasks run at once."""
    conf = current_app.conf
    before, conf.task_always_eager = conf.task_always_eager, True
    yield
    conf.task_always_eager = before


@pytest.fixture
def heard() -> Iterator[list[str]]:
    """Return the names of the signals about bookings, in the order in which they were sent."""
    found: list[str] = []
    sent = {"booked": signals.policy_booked, "attention": signals.attention_needed}
    receivers = {name: (lambda sender, name=name, **kwargs: found.append(name)) for name in sent}
    for name, signal in sent.items():
        signal.connect(receivers[name])
    yield found
    for name, signal in sent.items():
        signal.disconnect(receivers[name])


def buy(shopper: Shopper, shop: Shop) -> None:
    """Place and pay an order with cover."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)


def process_all() -> None:
    """Let a worker take every delivery."""
    for pk in WebhookDelivery.objects.order_by("pk").values_list("pk", flat=True):
        webhooks.process(pk)


def states() -> set[str]:
    """Return what became of the deliveries."""
    return set(WebhookDelivery.objects.values_list("state", flat=True))


@pytest.mark.parametrize("fault", [None, "twice", "late", "reorder"])
def test_however_it_comes_the_mirror_is_right(
    told: Sandbox, shopper: Shopper, shop: Shop, fault: str | None
) -> None:
    if fault:
        told.faults.add("webhook", fault, times=1)
    buy(shopper, shop)
    work()
    factory.client_for("default").cancel_booking(the_package().package_id, idempotency_key="x")
    told.webhooks.release()

    process_all()

    events = WebhookDelivery.objects.values_list("event", flat=True)
    assert sorted(events) == ["BOOKING_CANCELLED", "BOOKING_CREATED"]
    assert [d.statuses for d in told.webhooks.sent] == [[200]] * len(told.webhooks.sent)
    assert states() == {State.PROCESSED}
    assert the_package().status == "CANCELLED"


def test_another_price_in_a_webhook_changes_nothing(
    told: Sandbox, shopper: Shopper, shop: Shop
) -> None:
    told.faults.add("webhook", "wrong_price")
    buy(shopper, shop)
    work()

    process_all()

    [delivery], quote = told.webhooks.sent, the_package().quotes.get()
    assert delivery.payload["quotes"][0]["price"] > quote.price
    assert quote.price == quote.chosen_price == the_package().total_price
    assert the_package().attention == ""
    assert states() == {State.PROCESSED}


def test_a_webhook_that_overtakes_the_worker_spoils_nothing(
    told: Sandbox,
    shopper: Shopper,
    shop: Shop,
    heard: list[str],
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    """XCover may tell of a booking before its answer has been read."""
    buy(shopper, shop)
    overtaken: list[str] = []

    def process_at_once(delivery: Delivery) -> None:
        process_all()
        overtaken.append(the_package().status)

    told.webhooks.subscribe(process_at_once)

    with django_capture_on_commit_callbacks(execute=True):
        work()

    assert overtaken == ["CONFIRMED"]
    assert the_operation().state == "done"
    assert the_package().attention == ""
    assert heard == ["booked"]


def test_a_webhook_tells_of_a_booking_whose_answer_was_lost(
    told: Sandbox,
    shopper: Shopper,
    shop: Shop,
    heard: list[str],
    django_capture_on_commit_callbacks: Callable[..., AbstractContextManager[object]],
) -> None:
    told.faults.add("create_booking", "process_then_reset", times=None)
    buy(shopper, shop)

    with django_capture_on_commit_callbacks(execute=True):
        work()
        process_all()

    assert the_operation().state == "pending"
    assert the_package().status == "CONFIRMED"
    assert heard == ["booked"]


def test_a_year_later_the_renewals_events_are_heard(
    told: Sandbox, shopper: Shopper, shop: Shop
) -> None:
    with time_machine.travel(BOUGHT, tick=False) as clock:
        shopper.cart = shopper.cart.but(items=(yearly(),))
        buy(shopper, shop)
        work()

        def at(moment: datetime) -> Renewal:
            clock.move_to(moment)
            told.tick()
            process_all()
            return Renewal.objects.get()

        created = at(ENDS - timedelta(days=30))
        assert created.state == Renewal.State.DUE
        assert created.announced_id.endswith("-REN")
        assert at(ENDS - timedelta(days=14)).state == Renewal.State.QUOTED

    assert states() == {State.PROCESSED}


@pytest.mark.django_db(transaction=True)
def test_over_http_from_the_sandbox_to_the_shop(
    sandbox: Sandbox, shopper: Shopper, shop: Shop, eager: None
) -> None:
    sandbox.webhooks.spacing = 0
    with serving() as address:
        sandbox.webhooks.subscribe(f"{address}{URL}", key=KEY, secret=SECRET)
        sandbox.webhooks.subscribe(f"{address}{URL}", key=KEY, secret="not the secret")
        buy(shopper, shop)
        work()

        assert sandbox.webhooks.flush(20)

    assert sorted(d.statuses for d in sandbox.webhooks.sent) == [[200], [400, 400, 400]]
    assert WebhookDelivery.objects.get().event == "BOOKING_CREATED"
    assert states() == {State.PROCESSED}
    assert QuotePackage.objects.get().status == "CONFIRMED"


def test_the_whole_of_it_needs_no_more_than_the_documented_headers(
    told: Sandbox, shopper: Shopper, shop: Shop
) -> None:
    buy(shopper, shop)
    work()

    [delivery] = told.webhooks.sent

    assert set(delivery.headers) == {"Content-Type", "Date", "X-Api-Key", "Authorization"}
    assert WebhookDelivery.objects.get().body == json.loads(delivery.body)
