"""A shop that takes webhooks, and what XCover would post to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.test import Client

from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.testing.webhooks import sign_delivery
from tests import completion
from tests.conftest import Shopper, the_package, work
from tests.shop import Shop

KEY, SECRET = "hook-key", "the secret of the hook"
URL = "/xcover/webhooks/"
PACKAGE = "KXR4W-9PJTC-INS"
Post = Callable[..., HttpResponse]


def body_of(event: str = "BOOKING_UPDATED", package_id: str = PACKAGE, **payload: Any) -> bytes:
    """Return what XCover would send about a booking."""
    return json.dumps({"event": event, "payload": {"id": package_id, **payload}}).encode()


def xcover(adapter: str = "tests.shop.Adapter", **webhooks: Any) -> dict[str, Any]:
    """Return settings that take webhooks with KEY and SECRET, and an account that takes none."""
    account = django_settings.XCOVER["ACCOUNTS"]["default"]
    told = {**account, "WEBHOOK_SECRETS": {KEY: SECRET}, **webhooks}
    accounts = {"default": told, "eu": told, "deaf": account}
    return {**django_settings.XCOVER, "ADAPTER": adapter, "ACCOUNTS": accounts}


@pytest.fixture(autouse=True)
def takes_webhooks(shop: Shop, settings: Any) -> None:
    """Let the shop take webhooks."""
    settings.XCOVER = xcover()


@pytest.fixture
def post() -> Post:
    """Return a sender of webhooks, well signed unless told otherwise."""

    def send(body: bytes | None = None, *, url: str = URL, **signed: Any) -> HttpResponse:
        body = body_of() if body is None else body
        headers = signed.pop("headers", {})
        signed = {"key_id": KEY, "secret": SECRET, **signed}
        headers = {**sign_delivery(body, **signed), **headers}
        headers = {name: value for name, value in headers.items() if value is not None}
        client = Client(enforce_csrf_checks=True)
        answer = client.post(url, body, content_type="application/json", headers=headers)
        assert isinstance(answer, HttpResponse)
        return answer

    return send


@pytest.fixture
def booked(shopper: Shopper, shop: Shop) -> QuotePackage:
    """Return a booking in force."""
    shopper.says(yes=True)
    completion.complete(shop.order(), shopper.cart, paid=True)
    work()
    return the_package()


def the_delivery() -> WebhookDelivery:
    """Return the only delivery there is."""
    return WebhookDelivery.objects.get()


def none_stored() -> bool:
    """Return whether no webhook was stored."""
    return not WebhookDelivery.objects.exists()
