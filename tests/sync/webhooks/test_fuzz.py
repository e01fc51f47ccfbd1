"""Anybody can send anything: no input gives a 500, none without a signature writes a row."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from django_xcover.models import WebhookDelivery
from django_xcover.sync import webhooks
from django_xcover.testing.webhooks import sign_delivery
from tests.examples import examples
from tests.sync.webhooks.conftest import KEY, SECRET, URL, body_of

pytestmark = [pytest.mark.every_engine, pytest.mark.django_db]
FUZZ = settings(
    max_examples=examples(200),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
SIGNED = sign_delivery(b"", key_id=KEY, secret=SECRET)
# What a server can hand over: bytes of a header, read as Latin-1.
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=80)
PIECES = st.sampled_from(
    [
        "Signature ",
        f'keyId="{KEY}"',
        "keyId=",
        'algorithm="hmac-sha256"',
        'algorithm="hmac-sha1"',
        'headers="(request-target) date"',
        'headers="date date"',
        'signature="',
        'signature="%2B%2b%"',
        '"',
        ",",
        "=",
        " ",
        SIGNED["Authorization"],
    ]
)
AUTHORIZATION = st.one_of(LATIN, st.lists(st.one_of(PIECES, LATIN), max_size=8).map("".join))
DATES = st.one_of(LATIN, st.just(SIGNED["Date"]), st.datetimes().map(str))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=30,
)
EVENTS = st.one_of(JSON, st.sampled_from(["BOOKING_CREATED", "RENEWAL_DUE"]))
PAYLOADS = st.one_of(JSON, st.fixed_dictionaries({"id": JSON}, optional={"renewal_id": JSON}))
MESSAGES = st.fixed_dictionaries({}, optional={"event": EVENTS, "payload": PAYLOADS})
BODIES = st.one_of(
    st.binary(),
    st.one_of(JSON, MESSAGES).map(json.dumps).map(str.encode),
    st.tuples(st.binary(max_size=5), st.integers(0, 40)).map(
        lambda cut: body_of()[: cut[1]] + cut[0] + body_of()[cut[1] :]
    ),
)


def send(body: bytes, headers: dict[str, str], kind: str = "application/json") -> Any:
    """Post this to the receiver; what a view raises comes out of it."""
    return Client().post(URL, body, content_type=kind, headers=headers)


@FUZZ
@given(AUTHORIZATION, DATES, st.one_of(st.none(), LATIN), BODIES, st.sampled_from(["", "a/b", "é"]))
@example(SIGNED["Authorization"], SIGNED["Date"] + "x", None, b"{}", "")
def test_without_a_valid_signature_there_is_no_row_and_no_error(
    authorization: str, date: str, api_key: str | None, body: bytes, kind: str
) -> None:
    headers = {"Authorization": authorization, "Date": date}
    headers |= {"X-Api-Key": api_key} if api_key is not None else {}
    if SIGNED["Authorization"] in authorization and date == SIGNED["Date"]:
        return  # that one is signed

    assert send(body, headers, kind).status_code == 400
    assert not WebhookDelivery.objects.exists()


@FUZZ
@given(BODIES)
def test_whatever_is_signed_is_kept_and_processed_or_refused(body: bytes) -> None:
    WebhookDelivery.objects.all().delete()
    status = send(body, sign_delivery(body, key_id=KEY, secret=SECRET)).status_code

    rows = list(WebhookDelivery.objects.all())

    assert (status, len(rows)) in {(200, 1), (400, 0)}
    for row in rows:
        webhooks.process(row.pk)
        row.refresh_from_db()
        assert row.state == WebhookDelivery.State.UNKNOWN
        assert isinstance(row.body, dict)
