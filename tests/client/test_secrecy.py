"""Nothing that is logged or printed tells a key, a signature or a person."""

from __future__ import annotations

import logging
import traceback

import pytest

from django_xcover.client import XCoverError
from tests.client import server as does
from tests.client.conftest import API_KEY, API_SECRET, Connect, Serve

INS = "KXR4W-9PJTC-INS"
PERSON = {"policyholder": {"first_name": "Ana", "email": "ana@example.com"}}
ANSWER = {
    "id": INS,
    "security_token": "aB1cD-eF2gH-iJ3kL-mN4oP",
    "coi": {"url": f"https://x/en/coi/{INS}?security_token=aB1cD"},
    **PERSON,
}
FORBIDDEN = ("Ana", "ana@example.com", "aB1cD", API_KEY, API_SECRET, "signature=", "Signature")


def test_the_log_of_a_booking_tells_no_secret_at_any_level(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    echo = does.json(422, {"message": "Ana", "errors": {"email": "ana@example.com is bad"}})
    client = connect(serve(does.empty(503), does.json(200, ANSWER), echo))

    client.create_booking(INS, PERSON, idempotency_key="k")
    with pytest.raises(XCoverError):
        client.create_booking(INS, PERSON)

    told = "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)
    assert f"bookings/{INS}/" in told
    assert not [word for word in FORBIDDEN if word in told]


def test_each_attempt_is_one_line_with_what_happened(
    serve: Serve, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "django_xcover.client")

    connect(serve(does.empty(503), does.reset, does.json(200, ANSWER))).get_booking(INS)

    lines = [(r.levelname, r.getMessage()) for r in caplog.records if "django_xcover" in r.name]
    assert [level for level, _ in lines] == ["WARNING", "WARNING", "INFO"]
    assert lines[0][1].startswith(f"GET bookings/{INS}/: 503 ServerFault in ")
    assert lines[1][1].startswith(f"GET bookings/{INS}/: ConnectionFailed in ")
    assert lines[2][1].startswith(f"GET bookings/{INS}/: 200 in ")
    assert lines[2][1].endswith("(attempt 3)")


@pytest.mark.parametrize(
    "step",
    [
        does.reset,
        does.json(200, [ANSWER]),
        does.raw(does.response(200, b"Ana ana@example.com")),
        does.raw(b"Ana aB1cD\r\n\r\n"),
        does.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nAna\r\n"),
        does.raw(does.response(200, b"Ana", {"Content-Encoding": "gzip"})),
        does.json(500, ANSWER),
        does.empty(302, {"Location": "https://ana@example.com/aB1cD"}),
    ],
)
def test_the_traceback_of_a_failed_call_tells_no_secret(
    step: does.Step, serve: Serve, connect: Connect
) -> None:
    with pytest.raises(XCoverError) as caught:
        connect(serve(step)).create_booking(INS, PERSON)

    # What a logger prints below the frames: every exception of the chain that is shown.
    told = "".join(line for line in traceback.format_exception(caught.value) if line[0] != " ")
    assert not [word for word in FORBIDDEN if word in told]


def test_neither_client_nor_signer_show_the_key(connect: Connect) -> None:
    client = connect("http://localhost:1")

    shown = f"{client!r} {client._transport._auth!r}"

    assert "ACME1" in shown
    assert API_KEY not in shown
    assert API_SECRET not in shown
