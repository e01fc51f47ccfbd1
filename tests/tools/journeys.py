"""One purchase and one webhook, for the map to follow: `python -m tests.tools.map`."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client

from django_xcover import tasks
from django_xcover.models import Policy, QuotePackage, WebhookDelivery
from django_xcover.sandbox import Sandbox
from django_xcover.testing.webhooks import sign_delivery
from example_shop.demo import data
from tests.conftest import work
from tests.example_shop.conftest import FESTIVAL, Shopper

pytestmark = pytest.mark.django_db(transaction=True)
Trace = Callable[[str], AbstractContextManager[None]]


@pytest.fixture
def shopper(xcover_sandbox: Sandbox, settings: Any) -> Shopper:
    """Return a guest with two festival tickets in the cart of a shop that takes webhooks."""
    account = {
        **django_settings.XCOVER["ACCOUNTS"]["default"],
        "WEBHOOK_SECRETS": {"key": "secret"},
    }
    settings.XCOVER = {**django_settings.XCOVER, "ACCOUNTS": {"default": account}}
    data.fill()
    guest = Shopper()
    guest.takes(FESTIVAL, 2)
    return guest


def test_purchase(shopper: Shopper, trace: Trace) -> None:
    """From the tag in the checkout to the policy on the order page."""
    with trace("purchase"):
        shopper.opens("/checkout/")
        shopper.answers("yes")
        order = shopper.orders()
        shopper.pays(order)
        work()
        shopper.opens(f"/orders/{order.number}/")
    assert Policy.objects.for_order(order.number).count() == 1


def test_webhook(shopper: Shopper, trace: Trace) -> None:
    """From XCover's post to the booking read again."""
    shopper.answers("yes")
    shopper.pays(shopper.orders())
    work()
    package = QuotePackage.objects.get()
    body = json.dumps({"event": "BOOKING_UPDATED", "payload": {"id": package.package_id}}).encode()
    headers = sign_delivery(body, key_id="key", secret="secret")
    with trace("webhook"):
        answer = Client().post(
            "/xcover/webhooks/", body, content_type="application/json", headers=headers
        )
        tasks.process_delivery(WebhookDelivery.objects.get().pk)
    assert answer.status_code == 200
