"""A limiter holds back what the client would send."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import inf

import pytest

from django_xcover.client import ConnectionFailed, HeldBack, ServerFault, Throttled, XCoverError
from django_xcover.client.connections import Deadline
from django_xcover.client.endpoints import Endpoint
from tests.client import server as does
from tests.client.conftest import Connect, Serve


class Gate:
    """A limiter that notes who comes through, and how they leave."""

    def __init__(self, *, room_for: float = inf) -> None:
        self.room_for = room_for
        self.came: list[tuple[str, str]] = []
        self.left: list[str] = []

    @contextmanager
    def __call__(self, endpoint: Endpoint, until: Deadline) -> Iterator[None]:
        self.came.append((endpoint.path, endpoint.group))
        if len(self.came) > self.room_for:
            raise HeldBack("full", retry_after=0.001)
        try:
            yield
        except Throttled:
            self.left.append("throttled")
            raise
        self.left.append("answered")


def test_what_is_held_back_is_not_sent_and_not_tried_again(serve: Serve, connect: Connect) -> None:
    server, gate = serve(), Gate(room_for=0)

    with pytest.raises(HeldBack) as caught:
        connect(server, limiter=gate).get_quote("AAAAA-BBBBB-INS")

    assert len(gate.came) == 1
    assert server.seen == []
    assert caught.value.outcome_known
    assert not caught.value.permanent


def test_each_attempt_asks_and_a_429_is_seen(serve: Serve, connect: Connect) -> None:
    server, gate = serve(does.json(429, {}), does.json(200, {})), Gate()

    connect(server, limiter=gate).get_quote("AAAAA-BBBBB-INS")

    assert gate.left == ["throttled", "answered"]


@pytest.mark.parametrize(
    ("failure", "kind", "known"),
    [(does.json(429, {}), Throttled, True), (does.json(503, {}), ServerFault, False)],
    ids=["429", "503"],
)
def test_a_repeat_that_is_held_back_does_not_hide_the_failure_before_it(
    failure: does.Step, kind: type[XCoverError], known: bool, serve: Serve, connect: Connect
) -> None:
    server, gate = serve(failure), Gate(room_for=1)

    with pytest.raises(kind) as caught:
        connect(server, limiter=gate).create_booking("A-INS", {}, idempotency_key="k")

    assert (len(gate.came), len(server.seen)) == (2, 1)
    assert caught.value.outcome_known is known


def test_nor_does_it_hide_a_connection_that_was_refused(connect: Connect) -> None:
    with pytest.raises(ConnectionFailed):
        connect("http://127.0.0.1:9", limiter=Gate(room_for=1)).create_quote({})


def test_nor_does_one_for_which_the_wait_has_left_no_time(serve: Serve, connect: Connect) -> None:
    server = serve(does.json(503, {}))

    @contextmanager
    def slow(endpoint: Endpoint, until: Deadline) -> Iterator[None]:
        if server.seen:
            time.sleep(until.left)
        yield

    with pytest.raises(ServerFault):
        connect(server, limiter=slow).get_booking("A-INS", deadline=1.0)

    assert len(server.seen) == 1


def test_quotes_and_bookings_share_a_group_and_the_rest_another(
    serve: Serve, connect: Connect
) -> None:
    gate = Gate(room_for=0)
    client = connect(serve(), limiter=gate)
    calls: list[Callable[[], object]] = [
        lambda: client.create_quote({}),
        lambda: client.fast_quote({}),
        lambda: client.create_booking("A-INS", {}),
        lambda: client.instant_booking({}),
        lambda: client.get_booking("A-INS"),
        lambda: client.opt_out("A-INS"),
    ]

    for call in calls:
        with pytest.raises(HeldBack):
            call()

    assert [group for _, group in gate.came] == ["sales"] * 4 + ["other"] * 2
