"""No server, however slow, holds a call longer than its deadline."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from django_xcover.client import (
    ConnectionFailed,
    DeadlineExceeded,
    NoTimeLeft,
    XCoverError,
    connections,
)
from tests.client import server as does
from tests.client.conftest import Connect, Serve

LIMIT = 0.3
SLACK = 3.0  # a loaded machine's scheduling, below the 5 s the server would go on


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    started = time.monotonic()
    yield
    assert time.monotonic() - started < seconds


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

SLOW: dict[str, does.Step] = {
    "says nothing": does.silence,
    "drips its status line": does.drip(b"H", b"T"),
    "drips a header": does.drip(HEAD + b"X-Slow: ", b"y"),
    "drips headers": does.drip(HEAD, b"X-Slow: y\r\n"),
    "drips a body of known length": does.drip(HEAD + b"Content-Length: 9999\r\n\r\n", b" "),
    "drips a body until it closes": does.drip(HEAD + b"\r\n", b" "),
    "drips chunks": does.drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    "drips a chunk's size": does.drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
    "drips interim answers": does.drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "drips a compressed body": does.drip(
        HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(b"{}")[:12], b"\x00"
    ),
}


@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW.keys())
def test_a_slow_answer_is_cut_off_at_the_deadline(
    step: does.Step, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(step))

    with ends_within(LIMIT + SLACK), pytest.raises(XCoverError) as caught:
        client.create_quote({}, deadline=LIMIT)

    assert caught.value.outcome_known is False
    assert caught.value.permanent is False


def test_a_body_that_drips_raises_the_deadline_error(serve: Serve, connect: Connect) -> None:
    client = connect(serve(SLOW["drips a body of known length"]))

    with pytest.raises(DeadlineExceeded):
        client.create_booking("KXR4W-9PJTC-INS", {}, idempotency_key="k", deadline=LIMIT)


def test_a_reading_call_that_is_cut_off_leaves_no_doubt(serve: Serve, connect: Connect) -> None:
    client = connect(serve(does.silence))

    with pytest.raises(DeadlineExceeded) as caught:
        client.get_booking("KXR4W-9PJTC-INS", deadline=LIMIT)

    assert caught.value.outcome_known is True


def test_a_server_that_reads_slowly_is_cut_off(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}")

        with ends_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded) as caught:
            client.create_quote({"text": "x" * 8_000_000}, deadline=LIMIT)

    assert caught.value.outcome_known is False


def test_a_server_that_reads_a_little_at_a_time_is_cut_off(connect: Connect) -> None:
    stop = threading.Event()

    def sip(listener: socket.socket) -> None:
        conn, _ = listener.accept()
        with conn:
            while not stop.wait(0.02) and conn.recv(8192):
                pass

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        reader = threading.Thread(target=sip, args=(listener,))
        reader.start()
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}")

        with ends_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded):
            client.create_quote({"text": "x" * 8_000_000}, deadline=LIMIT)

        stop.set()
        reader.join()


def test_time_spent_on_the_name_is_not_given_again_to_the_answer(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    look_up = socket.getaddrinfo

    def slowly(host: str, *rest: Any) -> Any:
        if host == "localhost":  # an address that is already a number needs no lookup
            threading.Event().wait(2.0)
        return look_up(host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)

    # Given again, it would be four seconds and a half.
    with ends_within(4.4), pytest.raises(DeadlineExceeded):
        connect(serve(does.silence)).create_quote({}, deadline=2.5)


def test_calls_that_book_have_a_longer_deadline_of_their_own(
    serve: Serve, connect: Connect
) -> None:
    def later(server: does.Server, conn: socket.socket, request: does.Seen) -> bool:
        server.stopped.wait(0.3)
        conn.sendall(does.response(200, b'{"id": "KXR4W-9PJTC-INS"}'))
        return True

    client = connect(serve(later), deadline=0.1, booking_deadline=4.0, max_attempts=1)

    assert client.create_booking("KXR4W-9PJTC-INS", {})["id"] == "KXR4W-9PJTC-INS"
    with pytest.raises(DeadlineExceeded):
        client.get_booking("KXR4W-9PJTC-INS")


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose backlog is full: connecting to it waits."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        yield port
        for sock in waiting:
            sock.close()


def test_a_connection_nobody_accepts_is_cut_off(deaf_port: int, connect: Connect) -> None:
    client = connect(f"http://127.0.0.1:{deaf_port}")

    with ends_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded) as caught:
        client.create_quote({}, deadline=LIMIT)

    assert caught.value.outcome_known is True


@pytest.mark.parametrize("deaf_ones", [1, 2])
def test_an_address_that_does_not_answer_leaves_time_for_the_next(
    deaf_ones: int,
    deaf_port: int,
    serve: Serve,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = serve(does.json(200, {"id": "KXR4W-9PJTC-INS"}))
    addresses = [("127.0.0.1", port) for port in (*[deaf_port] * deaf_ones, server.port)]
    monkeypatch.setattr(connections, "resolve", lambda host, port, limit: addresses)

    answer = connect(server).get_quote("KXR4W-9PJTC-INS", deadline=3.0)

    assert answer["id"] == "KXR4W-9PJTC-INS"


def test_each_attempt_to_connect_has_its_own_shorter_limit(
    deaf_port: int, connect: Connect
) -> None:
    client = connect(f"http://127.0.0.1:{deaf_port}", connect_timeout=0.1, max_attempts=2)

    with ends_within(LIMIT + SLACK), pytest.raises(ConnectionFailed) as caught:
        client.create_quote({})

    assert caught.value.request_sent is False


def test_a_tls_handshake_that_hangs_is_cut_off(serve: Serve, connect: Connect) -> None:
    hanging = serve(does.silence)
    client = connect(hanging.url.replace("http:", "https:"))

    with ends_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded) as caught:
        client.create_quote({}, deadline=LIMIT)

    assert caught.value.outcome_known is True


def test_a_proxys_tunnel_that_drips_is_cut_off(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = serve(does.drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"y"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
    client = connect("https://api.example/x")

    with ends_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded) as caught:
        client.create_quote({}, deadline=LIMIT)

    assert caught.value.outcome_known is True
    assert proxy.seen[0].method == "CONNECT"


def test_a_name_lookup_that_hangs_is_cut_off(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()

    def hang(*_: Any) -> list[Any]:
        released.wait(5)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    client = connect("https://api.example/x")

    with ends_within(LIMIT + SLACK), pytest.raises(DeadlineExceeded) as caught:
        client.create_quote({}, deadline=LIMIT)

    released.set()
    assert caught.value.outcome_known is True


def test_no_time_left_means_nothing_is_sent(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(201, {"id": "x"}))
    client = connect(server)

    with pytest.raises(NoTimeLeft) as caught:
        client.create_quote({}, deadline=0)

    assert caught.value.outcome_known is True
    assert server.seen == []


def test_the_deadline_covers_all_retries_together(serve: Serve, connect: Connect) -> None:
    client = connect(serve(does.json(503, {})), max_attempts=1000, backoff=0.05)

    with ends_within(LIMIT + SLACK), pytest.raises(XCoverError):
        client.get_quote("KXR4W-9PJTC-INS", deadline=LIMIT)


def test_a_wait_longer_than_the_time_left_is_not_begun(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(429, {}, {"Retry-After": "60"}))
    client = connect(server)

    # Begun, it would last until the deadline, which is 3 s here.
    with ends_within(2.5), pytest.raises(XCoverError) as caught:
        client.get_quote("KXR4W-9PJTC-INS")

    assert caught.value.retry_after == 60
    assert len(server.seen) == 1


def test_a_slow_answer_within_the_deadline_is_taken(serve: Serve, connect: Connect) -> None:
    def slowly(server: does.Server, conn: socket.socket, request: does.Seen) -> bool:
        for byte in does.response(200, b'{"id": "KXR4W-9PJTC-INS"}'):
            conn.sendall(bytes([byte]))
        return True

    client = connect(serve(slowly))

    assert client.get_quote("KXR4W-9PJTC-INS")["id"] == "KXR4W-9PJTC-INS"
