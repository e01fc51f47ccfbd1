"""What XCover sends is stored and answered at once, whatever it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from django_xcover import signals
from django_xcover.models import WebhookDelivery
from django_xcover.sandbox import Sandbox
from django_xcover.testing.webhooks import sign_delivery
from tests.sync.webhooks.conftest import (
    KEY,
    PACKAGE,
    SECRET,
    URL,
    Post,
    body_of,
    the_delivery,
    xcover,
)

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = WebhookDelivery.State
MIDDLEWARE = "django.contrib.auth.middleware.LoginRequiredMiddleware"


def queries_of(*deliveries: Any, post: Post) -> list[str]:
    """Return the queries of posting, without those that begin and end transactions."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        for body in deliveries:
            assert post(body).status_code == 200
    words = [query["sql"].split()[0] for query in captured]
    return [word for word in words if word in {"INSERT", "SELECT", "UPDATE", "DELETE"}]


def test_a_webhook_is_stored_as_it_came(post: Post) -> None:
    assert post(body_of("BOOKING_CREATED", status="CONFIRMED")).status_code == 200

    delivery = the_delivery()
    assert (delivery.account, delivery.event) == ("default", "BOOKING_CREATED")
    assert delivery.package_id == PACKAGE
    assert delivery.body["payload"]["status"] == "CONFIRMED"
    assert delivery.state == State.RECEIVED


def test_it_is_one_insert(post: Post) -> None:
    assert queries_of(body_of(), post=post) == ["INSERT"]


@pytest.mark.django_db(transaction=True)
def test_it_begins_no_transaction_of_its_own(post: Post) -> None:
    post()  # the first opens the connection

    with CaptureQueriesContext(connection) as captured:
        post(body_of("BOOKING_CREATED"))

    assert [query["sql"].split()[0] for query in captured] == ["INSERT"]


def test_the_same_again_is_found_by_its_key(post: Post) -> None:
    post(body_of())

    words = queries_of(body_of(), post=post)

    # Before them an INSERT that some engines log and others do not, because it is refused.
    assert words[-3:] == ["SELECT", "UPDATE", "SELECT"]
    assert words[:-3] in (["INSERT"], [])


def test_xcover_is_not_asked_while_it_waits(post: Post, sandbox: Sandbox) -> None:
    post()

    assert not sandbox.calls()


def test_each_account_has_a_receiver_of_its_own(post: Post) -> None:
    assert reverse("xcover:webhook") == URL
    assert post(url=reverse("xcover:webhook", args=["eu"])).status_code == 200

    assert the_delivery().account == "eu"


@pytest.mark.parametrize("algorithm", ["hmac-sha256", "hmac-sha384", "hmac-sha512"])
def test_the_algorithm_is_taken_from_the_header(post: Post, algorithm: str) -> None:
    assert post(algorithm=algorithm).status_code == 200


def test_sha_1_counts_where_it_is_allowed(post: Post, settings: Any) -> None:
    settings.XCOVER = xcover(WEBHOOK_ALGORITHMS=["hmac-sha1"])

    assert post(algorithm="hmac-sha1").status_code == 200
    assert post(algorithm="hmac-sha256").status_code == 400


def test_escapes_may_be_in_lower_case(post: Post) -> None:
    def header(date: datetime) -> str:
        return sign_delivery(b"", key_id=KEY, secret=SECRET, date=date)["Authorization"]

    now = datetime.now(UTC)
    dates = (now - timedelta(seconds=ago) for ago in range(60))
    # A plus is in most signatures, and not in all.
    date = next(date for date in dates if "%2B" in header(date))

    lower = header(date).replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d")

    assert post(date=date, headers={"Authorization": lower}).status_code == 200


def test_an_absent_x_api_key_is_no_other_key(post: Post) -> None:
    assert post(headers={"X-Api-Key": None}).status_code == 200


def test_a_secret_can_be_changed_without_a_gap(post: Post, settings: Any) -> None:
    new = "the secret that comes"
    settings.XCOVER = xcover(WEBHOOK_SECRETS=[(KEY, new), (KEY, SECRET), ("new-key", new)])

    assert post().status_code == 200
    assert post(secret=new).status_code == 200
    assert post(secret=new, key_id="new-key").status_code == 200
    assert post(key_id="new-key").status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"event": None, "payload": None},
        {"event": 7, "payload": []},
        {"event": "x" * 10_000},
        {"event": "CLAIM_FILED", "payload": {"id": ["a", "list"]}},
        {"event": "BOOKING_CREATED", "payload": {"id": "x" * 10_000}},
        {"event": "ЗАЯВКА\n\x1b[31m", "payload": {"id": "\u202e", "quotes": {"": None}}},
        {"payload": {"id": PACKAGE, "total_price": 1.5e20, "n": 10**4000}},
    ],
    ids=lambda body: json.dumps(body)[:40],
)
def test_whatever_xcover_says_is_kept(post: Post, body: dict[str, Any]) -> None:
    assert post(json.dumps(body).encode()).status_code == 200
    assert the_delivery().body == body


def test_the_same_body_again_is_the_same_delivery(post: Post) -> None:
    post()
    first = the_delivery()

    assert post().status_code == 200

    assert the_delivery().times_received == 2
    assert the_delivery().received_at > first.received_at
    assert the_delivery().created_at == first.created_at


def test_the_same_body_for_another_account_is_another_delivery(post: Post) -> None:
    post()
    post(url=f"{URL}eu/")

    assert WebhookDelivery.objects.count() == 2


def test_a_worker_hears_of_it_after_the_commit(
    post: Post, django_capture_on_commit_callbacks: Any
) -> None:
    heard: list[int] = []

    def hear(sender: type, pk: int, **kwargs: Any) -> None:
        heard.append(pk)

    signals.delivery_ready.connect(hear)
    with django_capture_on_commit_callbacks(execute=True):
        post()
        assert heard == []
        post()
    signals.delivery_ready.disconnect(hear)

    assert heard == [the_delivery().pk] * 2


@pytest.mark.django_db(transaction=True)
def test_atomic_requests_cannot_take_an_answered_webhook_back(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)
    in_transaction: list[bool] = []

    def hear(sender: type, **kwargs: Any) -> None:
        in_transaction.append(connection.in_atomic_block)

    signals.delivery_ready.connect(hear)
    assert post().status_code == 200
    signals.delivery_ready.disconnect(hear)

    assert in_transaction == [False]


@pytest.mark.django_db(transaction=True)
def test_a_duplicate_leaves_a_transaction_around_it_intact(post: Post) -> None:
    with transaction.atomic():
        post()
        post()
        assert the_delivery().times_received == 2


def test_no_login_is_asked_for(post: Post, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, MIDDLEWARE]

    assert post().status_code == 200


def test_a_form_that_middleware_has_read_is_still_a_webhook() -> None:
    body = body_of()
    client = Client(headers=sign_delivery(body, key_id=KEY, secret=SECRET))

    answer = client.post(URL, body, content_type="application/x-www-form-urlencoded")

    assert isinstance(answer, HttpResponse)
    assert answer.status_code == 200


def test_a_signature_may_cover_the_path_as_well(post: Post) -> None:
    from django_xcover.client.auth import signature, string_to_sign

    headers = sign_delivery(b"", key_id=KEY, secret=SECRET)
    names = "(request-target) date"
    text = string_to_sign(names, date=headers["Date"], method="POST", path=URL)
    signed = signature(text, secret=SECRET, algorithm="hmac-sha512")
    header = (
        f'Signature keyId="{KEY}",algorithm="hmac-sha512",headers="{names}",signature="{signed}"'
    )

    signed_so = {"Date": headers["Date"], "Authorization": header}
    assert post(headers=signed_so).status_code == 200
    assert post(url=f"{URL}eu/", headers=signed_so).status_code == 400


def test_the_body_is_not_signed_and_that_is_why_it_is_never_believed(post: Post) -> None:
    headers = sign_delivery(body_of(), key_id=KEY, secret=SECRET)

    assert post(body_of("BOOKING_CANCELLED"), headers=headers).status_code == 200


def test_json_in_utf_16_is_json(post: Post) -> None:
    assert post(json.dumps({"event": "Ä"}).encode("utf-16")).status_code == 200
