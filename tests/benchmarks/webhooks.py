"""What taking a webhook costs, against a view that verifies nothing and inserts one row.

No transaction is open around either, so each row is really committed.
"""

from __future__ import annotations

import itertools
import json
from unittest import mock

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from django_xcover.conf import get_config
from django_xcover.models import WebhookDelivery
from django_xcover.testing.webhooks import sign_delivery
from tests.benchmarks.database import own_database
from tests.benchmarks.timing import Figure, compare

MAX_RATIO = 1.5
KEY, SECRET = "hook-key", "the secret of the hook"


@csrf_exempt
def plain(request: HttpRequest) -> HttpResponse:
    """Insert the body, whoever sent it."""
    body = json.loads(request.body)
    WebhookDelivery.objects.create(account="default", key=body["payload"]["id"], body=body)
    return HttpResponse()


urlpatterns = [path("plain/", plain), path("xcover/", include("django_xcover.urls"))]


def measure(*, rounds: int) -> list[Figure]:
    """Return the figure in a database of its own; PostgreSQL only."""
    with own_database():
        return [figure(rounds)]


def figure(rounds: int) -> Figure:
    """Time both with bodies that are new each time; the broker is left out of both."""
    numbers = itertools.count()
    client = Client()

    def post(url: str) -> None:
        body = _body(f"{next(numbers)}-INS")
        headers = sign_delivery(body, key_id=KEY, secret=SECRET)
        answer = client.post(url, body, content_type="application/json", headers=headers)
        if answer.status_code != 200:
            raise RuntimeError(f"{url} answered {answer.status_code}")

    with (
        override_settings(ROOT_URLCONF=__name__, XCOVER=_settings()),
        mock.patch("django_xcover.tasks.delivery_publisher.offer", return_value=True),
    ):
        return compare(
            "webhook verified and stored / plain view, one INSERT",
            lambda: post("/xcover/webhooks/"),
            lambda: post("/plain/"),
            rounds=rounds,
            # What a row costs in SQLite's memory is not what it costs a shop.
            max_ratio=MAX_RATIO if connection.vendor == "postgresql" else None,
        )


def _body(package_id: str) -> bytes:
    quotes = [{"id": str(number), "status": "CONFIRMED", "price": 54.2} for number in range(3)]
    payload = {"id": package_id, "status": "CONFIRMED", "currency": "GBP", "quotes": quotes}
    return json.dumps({"event": "BOOKING_CREATED", "payload": payload}).encode()


def _settings() -> dict[str, object]:
    account = get_config().account("default")
    told = {
        "BASE_URL": account.base_url,
        "PARTNER_CODE": account.partner_code,
        "API_KEY": account.api_key,
        "API_SECRET": account.api_secret,
        "WEBHOOK_SECRETS": {KEY: SECRET},
    }
    return {"ADAPTER": get_config().adapter, "ACCOUNTS": {"default": told}}
