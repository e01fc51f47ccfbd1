"""Webhooks: valid ones, signed, and then bent; posted to the real view."""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from random import Random
from typing import Any
from urllib.parse import unquote

from django.db import connection, transaction
from django.test import Client, override_settings

from django_xcover.conf import get_config
from django_xcover.models import WebhookDelivery
from django_xcover.sync import webhooks
from django_xcover.testing.webhooks import sign_delivery
from tests.fuzz.mutations import EMAIL, encoded, garble, mutate
from tests.fuzz.report import Report, listening

KEY, SECRET = "hook-key", "the secret of the hook"
URL = "/xcover/webhooks/"
ALGORITHMS = ("hmac-sha1", "hmac-sha256", "hmac-sha384", "hmac-sha512")
EVENTS = ("BOOKING_CREATED", "BOOKING_UPDATED", "BOOKING_CANCELLED", "RENEWAL_DUE", "NEW_ONE")
KINDS = ("application/json", "text/plain", "multipart/form-data; boundary=x", "", "é/\x01")
ENCODINGS = ("gzip", "identity", "utf-16")
WORTH_A_LOOK = 20
TOLERANCE = timedelta(seconds=310)
State = WebhookDelivery.State


def run(count: int, report: Report) -> None:
    """Post `count` webhooks and note whatever must not be."""
    random = Random(report.seed)
    # Without middleware: what the shop's own does with odd headers is not asked here.
    client = Client(raise_request_exception=False)
    with (
        override_settings(XCOVER=_settings(), MIDDLEWARE=[]),
        listening(report, SECRET, EMAIL),
        transaction.atomic(),
    ):
        for number in range(count):
            _one(random, client, number, report)
        transaction.set_rollback(True)


def _one(random: Random, client: Client, number: int, report: Report) -> None:
    request = _bent(random)
    report.begin(request=repr(request)[:1500], number=number)
    with connection.execute_wrapper(counting := Inserts()):
        response = client.generic(**request)
    report.outcomes[str(response.status_code)] += 1
    if response.status_code >= 500:
        report.fault("answered 5xx", error=repr(getattr(response, "exc_info", None)))
    if bool(counting.seen) != (response.status_code == 200):
        report.fault("row and answer disagree")
    if counting.seen and not _is_signed(request):
        report.fault("row without a valid signature")
    if counting.seen:
        _look(random, report)


class Inserts:
    """Counts what is written to the inbox. Refused webhooks are counted in a table of their own."""

    def __init__(self) -> None:
        self.seen = 0

    def __call__(self, execute: Any, sql: str, *rest: Any) -> Any:
        writes = sql.lstrip().startswith(("INSERT", "UPDATE", "DELETE"))
        self.seen += writes and WebhookDelivery._meta.db_table in sql
        return execute(sql, *rest)


def _look(random: Random, report: Report) -> None:
    """Have one in twenty processed, and empty the inbox."""
    if random.randrange(WORTH_A_LOOK) == 0:
        _process(WebhookDelivery.objects.get(), report)
    WebhookDelivery.objects.all().delete()


def _is_signed(request: Mapping[str, Any]) -> bool:
    """Return whether what was sent carries an HMAC by the secret over its own date.

    Computed here with `hmac` alone, so that the receiver is not its own judge.
    """
    date, sent = request.get("HTTP_DATE", ""), unquote(request.get("HTTP_AUTHORIZATION", ""))
    target = f"(request-target): {request['method'].lower()} {unquote(request['path'])}"
    texts = (f"date: {date}", f"{target}\ndate: {date}", f"date: {date}\n{target}")
    made = {
        base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), name)).decode()
        for text in texts
        for name in ("sha256", "sha384", "sha512")
    }
    age = abs(parsedate_to_datetime(date) - datetime.now(UTC)) if date else timedelta.max
    return any(signature in sent for signature in made) and age < TOLERANCE


def _process(delivery: WebhookDelivery, report: Report) -> None:
    webhooks.process(delivery.pk)
    delivery.refresh_from_db()
    report.outcomes[f"processed: {delivery.state}"] += 1
    if delivery.state != State.UNKNOWN:
        report.fault("processed into another state")


def _bent(random: Random) -> dict[str, Any]:
    """Return arguments of `Client.generic`: something is changed, before or after signing."""
    document = _document(random)
    body = encoded(mutate(random, document) if random.random() < 0.7 else document)
    if random.random() < 0.2:
        body = garble(random, body)
    if random.random() < 0.01:
        body = body + b" " * get_config().webhook_max_bytes
    headers = _headers(random, body)
    method = "POST" if random.random() < 0.95 else random.choice(("GET", "PUT", "HEAD", "X-ODD"))
    return {
        "method": method,
        "path": URL if random.random() < 0.95 else random.choice((URL + "eu/", URL + "%00/")),
        "data": body,
        "content_type": random.choice(KINDS) if random.random() < 0.2 else KINDS[0],
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }


def _headers(random: Random, body: bytes) -> dict[str, str]:
    bent = random.random() < 0.5
    algorithm = random.choice(ALGORITHMS) if bent else "hmac-sha256"
    off = random.choice((0, 0, 0, 200, -200, 400, -400, 10**8, -(10**9))) if bent else 0
    date = datetime.now(UTC) + timedelta(seconds=off)
    secret = SECRET if not bent or random.random() < 0.8 else SECRET[:-1]
    headers = sign_delivery(body, key_id=KEY, secret=secret, algorithm=algorithm, date=date)
    if bent and random.random() < 0.6:
        _bend(random, headers)
    if random.random() < 0.1:
        headers["Content-Encoding"] = random.choice(ENCODINGS)
    return headers


def _bend(random: Random, headers: dict[str, str]) -> None:
    name = random.choice(list(headers))
    value = headers[name]
    at = random.randrange(len(value))
    changed = random.choice(
        (
            value[:at],
            value[:at] + chr(random.randrange(1, 256)) + value[at + 1 :],
            value.upper(),
            value.lower(),
            value + value,
            value.replace(",", ", "),
            value.replace("%", "%25"),
            value.replace('"', ""),
            value.replace("hmac-sha256", random.choice(("none", "md5", "hmac-sha1", ""))),
            value.replace("Signature ", "Bearer "),
            f'{value},headers="{random.choice(("date", "date date", "(request-target) date"))}"',
            "x" * 10_000,
            EMAIL,
        )
    )
    if random.random() < 0.15:
        del headers[name]
    else:
        headers[name] = changed


def _document(random: Random) -> dict[str, Any]:
    package = f"{random.randrange(10**6):06d}-INS"
    quotes = [{"id": str(n), "status": "CONFIRMED", "price": 54.2} for n in range(2)]
    payload = {
        "id": package,
        "status": "CONFIRMED",
        "currency": "GBP",
        "quotes": quotes,
        "policyholder": {"email": EMAIL},
        "renewal_id": f"{package[:-4]}-REN",
    }
    return {"event": random.choice(EVENTS), "payload": payload}


def _settings() -> dict[str, object]:
    account = get_config().account("default")
    told = {
        "BASE_URL": account.base_url,
        "PARTNER_CODE": account.partner_code,
        "API_KEY": account.api_key,
        "API_SECRET": account.api_secret,
        "WEBHOOK_SECRETS": {KEY: SECRET},
    }
    return {"ADAPTER": "tests.shop.Adapter", "ACCOUNTS": {"default": told}}
