"""Webhooks by the thousand, in odd wrappings, and on the day that they are deleted."""

from __future__ import annotations

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIRequest
from django.test import RequestFactory
from django.utils import timezone

from django_xcover.client import HeldBack
from django_xcover.client.auth import signature, string_to_sign
from django_xcover.mirror import refresh
from django_xcover.models import QuotePackage, WebhookDelivery
from django_xcover.sync import webhooks
from django_xcover.sync.webhooks import WebhookRefused, receiver
from django_xcover.testing.webhooks import sign_delivery
from tests.sync.webhooks.conftest import KEY, SECRET, URL, Post, body_of, the_delivery, xcover

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
State = WebhookDelivery.State


def process() -> WebhookDelivery:
    """Let a worker take the only delivery there is, and return it."""
    webhooks.process(the_delivery().pk)
    return the_delivery()


def test_a_webhook_that_gets_no_turn_comes_back_and_has_not_failed(
    post: Post, booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: Any, **kwargs: Any) -> Any:
        raise HeldBack("the rate limit is used up", retry_after=7.0)

    with monkeypatch.context() as busy:
        busy.setattr(refresh, "refresh", no_room)
        post(body_of("BOOKING_UPDATED", booked.package_id))
        for _attempt in range(6):
            WebhookDelivery.objects.update(next_attempt_at=timezone.now())
            delivery = process()

    assert (delivery.state, delivery.failures) == (State.RECEIVED, 0)
    wait = delivery.next_attempt_at - timezone.now()
    assert timedelta(seconds=5) < wait <= timedelta(seconds=7)


def test_a_limit_that_asks_for_days_holds_a_webhook_back_for_minutes(
    post: Post, booked: QuotePackage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*args: Any, **kwargs: Any) -> Any:
        raise HeldBack("the rate limit is used up", retry_after=1e12)

    monkeypatch.setattr(refresh, "refresh", no_room)
    post(body_of("BOOKING_UPDATED", booked.package_id))

    assert process().next_attempt_at - timezone.now() <= timedelta(minutes=2)


@pytest.mark.parametrize("state", [State.RECEIVED, State.PROCESSING])
def test_what_nobody_has_looked_into_is_not_forgotten(post: Post, state: State) -> None:
    post()
    year_ago = timezone.now() - timedelta(days=365)
    WebhookDelivery.objects.update(state=state, received_at=year_ago)

    assert webhooks.forget() == 0
    assert the_delivery().state == state


def test_a_repeat_of_what_is_forgotten_at_that_moment_is_taken_anew(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    post()
    create = receiver._create

    def refused_and_then_gone(*facts: Any) -> WebhookDelivery:
        monkeypatch.setattr(receiver, "_create", create)
        try:
            return create(*facts)
        finally:
            WebhookDelivery.objects.all().delete()

    monkeypatch.setattr(receiver, "_create", refused_and_then_gone)

    assert post().status_code == 200
    assert the_delivery().times_received == 1


def in_chunks(rf: RequestFactory, body: bytes) -> WSGIRequest:
    """Return a webhook as servers hand one on that came without a Content-Length."""
    request = rf.post(
        URL, b"", "application/json", headers=sign_delivery(b"", key_id=KEY, secret=SECRET)
    )
    environ = dict(request.META)
    environ.pop("CONTENT_LENGTH", None)
    environ["HTTP_TRANSFER_ENCODING"] = "chunked"
    environ["wsgi.input"] = io.BytesIO(body)
    environ["wsgi.input_terminated"] = True
    return WSGIRequest(environ)


def test_a_body_that_comes_in_chunks_is_a_body(rf: RequestFactory) -> None:
    webhooks.receive(in_chunks(rf, body_of("BOOKING_CREATED")), "default")

    assert the_delivery().event == "BOOKING_CREATED"


def test_a_body_that_comes_in_chunks_for_ever_is_not_read_to_its_end(rf: RequestFactory) -> None:
    request = in_chunks(rf, b" " * 10_000_000)

    with pytest.raises(WebhookRefused, match="larger"):
        webhooks.receive(request, "default")

    assert request.environ["wsgi.input"].tell() < 300_000


def test_a_signed_path_is_the_one_that_was_sent(post: Post, settings: Any) -> None:
    account = xcover()["ACCOUNTS"]["default"]
    settings.XCOVER = {**xcover(), "ACCOUNTS": {"default": account, "Köln 1": account}}
    url = f"{URL}K%C3%B6ln%201/"
    headers = sign_delivery(b"", key_id=KEY, secret=SECRET)
    names = "(request-target) date"
    text = string_to_sign(names, date=headers["Date"], method="POST", path=url)
    signed = signature(text, secret=SECRET, algorithm="hmac-sha256")
    header = (
        f'Signature keyId="{KEY}",algorithm="hmac-sha256",headers="{names}",signature="{signed}"'
    )

    assert (
        post(url=url, headers={"Date": headers["Date"], "Authorization": header}).status_code == 200
    )
    assert the_delivery().account == "Köln 1"
