"""What is tried again, with what, and what is known in the end."""

from __future__ import annotations

import socket
from datetime import UTC, datetime, timedelta

import pytest

from django_xcover.client import (
    ConnectionFailed,
    Locked,
    ServerFault,
    Throttled,
    UnexpectedAnswer,
    ValidationFailed,
    XCoverError,
)
from django_xcover.client.auth import http_date
from django_xcover.client.retry import RetryPolicy
from tests.client import server as does
from tests.client.conftest import Connect, Serve

INS = "KXR4W-9PJTC-INS"
BOOKED = does.json(200, {"id": INS, "status": "CONFIRMED"})

FAULTS: dict[str, does.Step] = {
    "423": does.empty(423),
    "429": does.json(429, {"message": "Request was throttled."}),
    "502": does.json(502, {}),
    "503": does.raw(does.response(503, b"<html>")),
    "504": does.empty(504),
    "a reset": does.reset,
    "a hang-up": does.hang_up,
    "a cut body": does.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"),
    "a garbled status line": does.raw(b"gibberish\r\n\r\n"),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_passing_fault_is_retried_with_the_same_key_and_bytes(
    fault: does.Step, serve: Serve, connect: Connect
) -> None:
    server = serve(fault, fault, BOOKED)

    answer = connect(server).create_booking(INS, {"a": 1}, idempotency_key="order-7")

    assert answer["status"] == "CONFIRMED"
    assert [seen.headers["x-idempotency-key"] for seen in server.seen] == ["order-7"] * 3
    assert {seen.body for seen in server.seen} == {b'{"a":1}'}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_write_without_a_key_is_sent_once(
    fault: does.Step, serve: Serve, connect: Connect
) -> None:
    server = serve(fault, BOOKED)

    with pytest.raises(XCoverError):
        connect(server).create_booking(INS, {})

    assert len(server.seen) == 1


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_reading_call_is_retried_without_a_key(
    fault: does.Step, serve: Serve, connect: Connect
) -> None:
    server = serve(fault, BOOKED)

    assert connect(server).get_booking(INS)["id"] == INS


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 422, 500, 501])
def test_what_would_fail_again_is_not_retried(status: int, serve: Serve, connect: Connect) -> None:
    server = serve(does.json(status, {"type": "api_error", "message": "no"}))

    with pytest.raises(XCoverError):
        connect(server).create_booking(INS, {}, idempotency_key="k")

    assert len(server.seen) == 1


def test_an_unreadable_success_is_not_retried(serve: Serve, connect: Connect) -> None:
    server = serve(does.raw(does.response(200, b"<html>Welcome</html>")))

    with pytest.raises(UnexpectedAnswer) as caught:
        connect(server).create_booking(INS, {}, idempotency_key="k")

    assert (len(server.seen), caught.value.outcome_known) == (1, False)


def test_a_refused_connection_is_retried_even_without_a_key(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = connect(f"http://127.0.0.1:{port}", max_attempts=3)

    with pytest.raises(ConnectionFailed, match="refused") as caught:
        client.create_booking(INS, {})

    assert caught.value.request_sent is False
    assert caught.value.outcome_known is True


def test_each_attempt_is_signed_for_its_own_moment(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    dates = iter(["Mon, 02 Mar 2026 09:05:07 GMT", "Mon, 02 Mar 2026 09:05:08 GMT"])
    monkeypatch.setattr("django_xcover.client.auth.http_date", lambda _: next(dates))
    server = serve(does.empty(503), BOOKED)

    connect(server).get_booking(INS)

    first, second = (seen.headers for seen in server.seen)
    assert first["date"] != second["date"]
    assert first["authorization"] != second["authorization"]


def test_attempts_are_counted(serve: Serve, connect: Connect) -> None:
    server = serve(does.empty(503))

    with pytest.raises(ServerFault):
        connect(server, max_attempts=4).get_booking(INS)

    assert len(server.seen) == 4


@pytest.mark.parametrize(
    "value", ["0.2", http_date(datetime(2026, 3, 2, 9, 5, 9, tzinfo=UTC))], ids=["seconds", "date"]
)
def test_retry_after_is_obeyed_in_both_its_forms(
    value: str, serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    now = "Mon, 02 Mar 2026 09:05:08 GMT"
    server = serve(does.json(429, {}, {"Retry-After": value, "Date": now}), BOOKED)

    connect(server).get_booking(INS)

    assert waited == [pytest.approx(0.2 if value == "0.2" else 1.0)]


@pytest.mark.parametrize("value", ["soon", "nan", "inf", "-5", "Mon, 99 Mar 2026", ""])
def test_a_nonsensical_retry_after_asks_for_no_wait(
    value: str, serve: Serve, connect: Connect
) -> None:
    server = serve(does.json(429, {}, {"Retry-After": value}), BOOKED)

    assert connect(server).get_booking(INS)["id"] == INS


def test_a_retry_after_without_the_servers_clock_uses_ours() -> None:
    from django_xcover.client.responses import _retry_after_header

    seconds = _retry_after_header(
        {"Retry-After": http_date(datetime.now(UTC) + timedelta(seconds=30))}
    )

    assert seconds is not None
    assert 25 < seconds <= 30


def test_throttling_is_known_to_have_done_nothing(serve: Serve, connect: Connect) -> None:
    with pytest.raises(Throttled) as caught:
        connect(serve(does.json(429, {}))).create_booking(INS, {})

    assert (caught.value.outcome_known, caught.value.permanent) == (True, False)


def test_a_doubt_from_an_earlier_attempt_outlives_a_clear_refusal(
    serve: Serve, connect: Connect
) -> None:
    server = serve(does.reset, does.json(422, {"type": "validation_error"}))

    with pytest.raises(ValidationFailed) as caught:
        connect(server).create_booking(INS, {}, idempotency_key="k")

    assert caught.value.outcome_known is False


def test_a_lock_that_lasts_leaves_the_outcome_open(serve: Serve, connect: Connect) -> None:
    with pytest.raises(Locked) as caught:
        connect(serve(does.empty(423)), max_attempts=2).create_booking(INS, {}, idempotency_key="k")

    assert (caught.value.outcome_known, caught.value.permanent) == (False, False)


def test_waits_double_up_to_a_limit_and_are_spread() -> None:
    policy = RetryPolicy(backoff=1.0, longest=8.0)

    waits = [[policy.wait(None, number) for _ in range(50)] for number in (1, 2, 3, 9)]

    for full, drawn in zip((1, 2, 4, 8), waits, strict=True):
        assert full / 2 <= min(drawn) < max(drawn) <= full


def test_a_429_says_in_its_text_how_long_to_wait(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr("tenacity.nap.time.sleep", waited.append)
    text = "Request was throttled. Expected available in 3 seconds."
    server = serve(does.json(429, {"message": text}), BOOKED)

    connect(server).get_booking(INS, deadline=8.0)

    assert waited == [3.0]


def test_a_quote_that_was_turned_away_at_the_rate_limit_is_asked_for_again(
    serve: Serve, connect: Connect
) -> None:
    server = serve(does.json(429, {"message": "Request was throttled."}), BOOKED)

    assert connect(server).create_quote({"request": []})["id"] == INS
    assert len(server.seen) == 2


def test_a_quote_is_not_asked_for_again_beyond_its_deadline(serve: Serve, connect: Connect) -> None:
    text = "Request was throttled. Expected available in 30 seconds."
    server = serve(does.json(429, {"message": text}), BOOKED)

    with pytest.raises(Throttled) as caught:
        connect(server).create_quote({"request": []}, deadline=2.0)

    assert caught.value.retry_after == 30.0
    assert len(server.seen) == 1
