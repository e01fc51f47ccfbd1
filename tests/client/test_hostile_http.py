"""Answers that are broken below their JSON: refused by a typed error, in bounded memory."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest

from django_xcover.client import UnexpectedAnswer, XCoverError
from tests.client import server as does
from tests.client.conftest import API_KEY, API_SECRET, Connect, Serve
from tests.client.server import response

INS = "KXR4W-9PJTC-INS"
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
MEGABYTE = 1024 * 1024

BROKEN: dict[str, bytes] = {
    "a chunk's size is no number": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk's size is negative": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a chunk's size has no end": CHUNKED + b"1" * 70_000,
    "a chunk is shorter than it says": CHUNKED + b"FFFFFFFF\r\n{}",
    "a chunk is followed by none": CHUNKED + b"1\r\n{\r\n",
    "the length is more than comes": OK + b"Content-Length: 99\r\n\r\n{",
    "the length is less than comes": OK + b'Content-Length: 3\r\n\r\n{"id": 1}',
    "the length is nothing": OK + b"Content-Length: 0\r\n\r\n{}",
    "there are two lengths": OK + b"Content-Length: 2\r\nContent-Length: 1\r\n\r\n{}",
    "there are too many headers": OK + b"X-More: 1\r\n" * 200 + b"\r\n{}",
    "a header never ends": OK + b"X-More: " + b"x" * 70_000 + b"\r\n\r\n{}",
    "the status line never ends": b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n{}",
    "the status is no number": b"HTTP/1.1 2OO OK\r\n\r\n{}",
    "the status is none": b"HTTP/1.1 2000 OK\r\n\r\n{}",
    "it is of another protocol": b"SSH-2.0-OpenSSH_9.6\r\n",
    "it is empty lines": b"\r\n" * 100,
    "it goes on without an answer": b"HTTP/1.1 100 Continue\r\n\r\n" * 3,
    "it promises another protocol": b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
    "half of it was packed": response(
        200, gzip.compress(b'{"id": "' + b"x" * 900 + b'"}')[:-20], {"Content-Encoding": "gzip"}
    ),
    "it is packed otherwise than it says": response(
        200, gzip.compress(b"{}"), {"Content-Encoding": "deflate"}
    ),
    "it is packed in an unknown way": response(
        200, gzip.compress(b"{}"), {"Content-Encoding": "x-odd"}
    ),
    "it is packed more often than anybody packs": response(
        200, b"{}", {"Content-Encoding": ", ".join(["gzip"] * 5000)}
    ),
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN.keys())
def test_an_answer_broken_below_its_json_is_a_typed_error(
    answer: bytes, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(does.raw(answer)), max_attempts=1)

    with pytest.raises(XCoverError) as refused:
        client.create_booking(INS, {}, idempotency_key="k")

    assert refused.value.outcome_known is False
    assert API_KEY not in str(refused.value)
    assert API_SECRET not in str(refused.value)


@pytest.mark.parametrize("packed", [1, 2])
def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused_before_it_is_all_there(
    packed: int, serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("django_xcover.client.http.LARGEST_RESPONSE", MEGABYTE)
    body = b"0" * 100 * MEGABYTE
    for _ in range(packed):
        body = gzip.compress(body)
    headers = {"Content-Encoding": ", ".join(["gzip"] * packed)}
    client = connect(serve(does.raw(response(200, body, headers))), deadline=60.0, max_attempts=1)
    del body

    tracemalloc.start()
    try:
        with pytest.raises(UnexpectedAnswer, match="too long"):
            client.get_quote(INS)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 20 * MEGABYTE


@pytest.mark.parametrize("packed", [False, True])
def test_an_answer_that_takes_seconds_to_decode_is_refused_unread(
    packed: bool, serve: Serve, connect: Connect
) -> None:
    """No deadline holds while JSON is decoded."""
    body = b'{"id": "x", "quotes": [' + b"[]," * 2 * MEGABYTE + b"1]}"
    answer = gzip.compress(body) if packed else body
    headers = {"Content-Encoding": "gzip"} if packed else {}
    client = connect(serve(does.raw(response(200, answer, headers))), deadline=60.0)

    with pytest.raises(UnexpectedAnswer, match="too long"):
        client.get_quote(INS)


def test_a_long_page_of_bookings_is_read(serve: Serve, connect: Connect) -> None:
    page = {"results": [{"id": INS, "text": "x" * 11_000}] * 100, "next": None}

    assert len(list(connect(serve(does.json(200, page))).list_bookings(page_size=100))) == 100


def test_a_second_answer_behind_the_first_is_nobodys(serve: Serve, connect: Connect) -> None:
    """Left on a kept connection, it would be taken for the answer to the next call."""
    smuggled = response(200, b'{"status": "smuggled"}')
    first = does.raw(response(200, b'{"status": "first"}') + smuggled, keep=True)
    client = connect(serve(first, does.json(200, {"status": "second"})))

    assert [client.get_quote(INS)["status"] for _ in range(2)] == ["first", "second"]
