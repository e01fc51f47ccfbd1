"""What is no webhook of XCover's: answered with 4xx, and no row is written."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpRequest
from django.test import Client, RequestFactory

from django_xcover.sync import webhooks
from django_xcover.sync.webhooks import WebhookRefused
from django_xcover.testing.webhooks import sign_delivery
from tests.sync.webhooks.conftest import KEY, SECRET, URL, Post, body_of, none_stored, xcover

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 9, 5, 7, tzinfo=UTC)
VECTOR_DATE = "Mon, 02 Mar 2026 09:05:07 GMT"
GARBLED = [
    "",
    "Signature",
    "Signature ",
    "Signature ,,,===",
    "Basic aG9vay1rZXk6eA==",
    "Bearer token",
    f'Signature keyId="{KEY}",algorithm="hmac-sha256"',
    f'Signature keyId="{KEY}",signature="x"',
    'Signature algorithm="hmac-sha256",signature="x"',
    f'Signature keyId="{KEY}",algorithm="hmac-sha256",signature=""',
    f'Signature keyId="{KEY}",algorithm="hmac-sha256",signature="%ff%00%"',
    f'Signature keyId="{KEY}",algorithm="",signature="x"',
    f'Signature keyId="{KEY}",algorithm="hmac-sha256",headers="",signature="x"',
    f'Signature keyId="{KEY}",algorithm="hmac-sha256",headers="host",signature="x"',
    f'Signature keyId="{KEY}",algorithm="hmac-sha256",signature="ключ"',
]


@pytest.mark.parametrize("header", GARBLED)
def test_a_garbled_signature_is_no_signature(post: Post, header: str) -> None:
    assert post(headers={"Authorization": header}).status_code == 400
    assert none_stored()


@pytest.mark.parametrize("missing", ["Authorization", "Date"])
def test_a_header_that_is_missing_proves_nothing(post: Post, missing: str) -> None:
    assert post(headers={missing: None}).status_code == 400
    assert none_stored()


@pytest.mark.parametrize(
    "foreign",
    [
        {"secret": "another secret"},
        {"key_id": "another-key"},
        {"key_id": KEY.upper()},
        {"secret": ""},
        {"secret": "ключ"},
        {"headers": {"X-Api-Key": "another-key"}},
        {"headers": {"X-Api-Key": "ключ"}},
        {"headers": {"Date": "Mon, 02 Mar 2026 09:05:08 GMT"}},
        {"headers": {"Date": "понедельник"}},
    ],
)
def test_a_foreign_signature_is_refused(post: Post, foreign: dict[str, Any]) -> None:
    assert post(**foreign).status_code == 400
    assert none_stored()


@pytest.mark.parametrize("off", [-301, 301, 86_400, -86_400 * 365])
def test_a_date_too_far_off_is_refused_in_both_directions(post: Post, off: int) -> None:
    # Stopped: a busy machine takes more than the second by which the date is too far ahead.
    with time_machine.travel(NOW, tick=False):
        assert post(date=NOW + timedelta(seconds=off)).status_code == 400
    assert none_stored()


@pytest.mark.parametrize(
    "date",
    [
        "tomorrow",
        "0",
        "Mon, 99 Foo 99999999999999999999 99:99:99 GMT",
        "1\n2",
        f"Mon, 02 Feb 2026 10:00:00 +{'9' * 400}",
    ],
)
def test_a_signed_date_that_is_none_is_refused(
    rf: RequestFactory, date: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_xcover.testing.webhooks.http_date", lambda moment: date)
    headers = sign_delivery(b"", key_id=KEY, secret=SECRET)

    with pytest.raises(WebhookRefused, match="Date"):
        webhooks.receive(rf.post(URL, b"", "application/json", headers=headers), "default")


@pytest.mark.parametrize("tolerance", [0, -1])
def test_no_tolerance_does_not_turn_the_check_off(
    post: Post, settings: Any, tolerance: int
) -> None:
    settings.XCOVER = {**xcover(), "WEBHOOK_TOLERANCE": tolerance}

    assert post(date=datetime.now(UTC) - timedelta(hours=1)).status_code == 400


@pytest.mark.parametrize("algorithm", ["hmac-md5", "none", "sha256", "hmac-sha1", "HMAC-SHA1"])
def test_only_the_algorithms_that_are_allowed_count(post: Post, algorithm: str) -> None:
    header = sign_delivery(b"", key_id=KEY, secret=SECRET, algorithm="hmac-sha1")
    claimed = header["Authorization"].replace("hmac-sha1", algorithm)

    answer = post(algorithm="hmac-sha1", headers={"Authorization": claimed})

    assert answer.status_code == 400
    assert none_stored()


@pytest.mark.parametrize("account", ["nobody", "deaf", "…", "../default"])
def test_an_account_without_secrets_takes_no_webhooks(post: Post, account: str) -> None:
    assert post(url=f"{URL}{account}/").status_code == 404
    assert none_stored()


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_nothing_but_a_post_is_taken(client: Client, method: str) -> None:
    headers = sign_delivery(b"", key_id=KEY, secret=SECRET)

    assert getattr(client, method)(URL, headers=headers).status_code == 405
    assert none_stored()


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"BOOKING_CREATED"',
        b"12",
        b"event=BOOKING_CREATED",
        b'{"event": NaN}',
        b'{"event": 1e999}',
        b'{"event": "\\u0000"}',
        b'{"\\u0000": 1}',
        b'{"event": "\\ud800"}',
        b'{"event": "\xff"}',
        b"\xff\xfe{",
        b'{"a":' + b"[" * 30 + b"]" * 30 + b"}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda body: repr(body[:20]),
)
def test_a_body_that_cannot_be_kept_is_refused_though_signed(post: Post, body: bytes) -> None:
    assert post(body).status_code == 400
    assert none_stored()


def test_a_huge_body_is_refused_and_not_read_to_its_end(post: Post, settings: Any) -> None:
    settings.XCOVER = {**xcover(), "WEBHOOK_MAX_BYTES": 200}
    fits = body_of(note="")
    fits = body_of(note="x" * (200 - len(fits)))

    assert post(fits + b" ").status_code == 400
    assert none_stored()
    assert post(fits).status_code == 200


def test_a_connection_that_breaks_off_is_no_error_of_ours(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks_off(request: HttpRequest, *args: Any) -> bytes:
        raise OSError("connection reset")

    request = rf.post(
        URL, b"{}", "application/json", headers=sign_delivery(b"", key_id=KEY, secret=SECRET)
    )
    monkeypatch.setattr(HttpRequest, "read", breaks_off)

    with pytest.raises(WebhookRefused, match="complete"):
        webhooks.receive(request, "default")


@pytest.mark.parametrize(
    "chunks",
    [b"zz\r\n{}", b"2\r\n{}XX0\r\n\r\n", b"2\r\n{}\r\n0\r\nno header\r\n\r\n", b"2\r\n{}\r\n"],
    ids=["no size", "too long", "a broken trailer", "no end"],
)
def test_a_body_in_broken_chunks_is_no_error_of_ours(rf: RequestFactory, chunks: bytes) -> None:
    request = rf.post(
        URL, b"", "application/json", headers=sign_delivery(b"", key_id=KEY, secret=SECRET)
    )
    request.META.pop("CONTENT_LENGTH", None)
    request.META["wsgi.input_terminated"] = True
    request.META["wsgi.input"] = as_gunicorn_reads(chunks)

    with pytest.raises(WebhookRefused, match="complete"):
        webhooks.receive(request, "default")


def as_gunicorn_reads(chunks: bytes) -> Any:
    """Return a body as gunicorn hands it on, whose errors are of its own kind."""
    parser = pytest.importorskip("gunicorn.http.parser")
    config = pytest.importorskip("gunicorn.config").Config()
    head = b"POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    return next(parser.RequestParser(config, iter([head + chunks]), ("127.0.0.1", 1))).body


def test_a_body_is_not_read_before_its_sender_is_known(
    rf: RequestFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []
    monkeypatch.setattr(HttpRequest, "read", lambda *args: read.append(args))

    with pytest.raises(WebhookRefused):
        webhooks.receive(rf.post(URL, b"{}", "application/json"), "default")

    assert read == []


def test_every_secret_is_compared_in_constant_time_and_none_is_skipped(
    post: Post, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [(KEY, SECRET), (KEY, "an older secret"), ("old-key", "the oldest secret")]
    settings.XCOVER = xcover(WEBHOOK_SECRETS=pairs)
    compared: list[int] = []
    verifying = "django_xcover.sync.webhooks.verification"

    def compare(one: str, other: str) -> bool:
        compared.append(1)
        return one == other

    monkeypatch.setattr(f"{verifying}.constant_time_compare", compare)

    assert post().status_code == 200
    assert len(compared) == 1 + 2 * len(pairs)


def test_a_refusal_is_a_warning_that_repeats_nothing_of_the_request(
    post: Post, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        post(body_of(policyholder="Ana Rossi"), key_id="sneaky-key", secret="sneaky secret")

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "WEBHOOK_SECRETS" in caplog.text
    for leak in ("sneaky", SECRET, "Ana", "Signature keyId"):
        assert leak not in caplog.text


def test_a_refusal_mails_nobody(post: Post, settings: Any, mailoutbox: list[object]) -> None:
    settings.ADMINS = [("Ops", "ops@example.com")]

    post(secret="another secret")
    post(b"{")

    assert mailoutbox == []


def test_a_refusal_is_the_same_when_the_shop_debugs(post: Post, settings: Any) -> None:
    settings.DEBUG = True

    assert post(secret="another secret").status_code == 400
