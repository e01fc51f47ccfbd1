"""A limiter holds back what the client would send."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from django_xcover.client import HeldBack, Throttled
from django_xcover.client.deadline import Deadline
from django_xcover.client.endpoints import Endpoint
from tests.client import server as does
from tests.client.conftest import Connect, Serve


class Gate:
    """A limiter that notes who comes through, and how they leave."""

    def __init__(self, *, closed: bool = False) -> None:
        self.closed = closed
        self.came: list[tuple[str, str]] = []
        self.left: list[str] = []

    @contextmanager
    def __call__(self, endpoint: Endpoint, until: Deadline) -> Iterator[None]:
        self.came.append((endpoint.path, endpoint.group))
        if self.closed:
            raise HeldBack("full", retry_after=0.001)
        try:
            yield
        except Throttled:
            self.left.append("throttled")
            raise
        self.left.append("answered")


def test_what_is_held_back_is_not_sent_and_not_tried_again(serve: Serve, connect: Connect) -> None:
    server, gate = serve(), Gate(closed=True)

    with pytest.raises(HeldBack) as caught:
        connect(server, limiter=gate).get_quote("AAAAA-BBBBB-INS")

    assert len(gate.came) == 1
    assert server.seen == []
    assert caught.value.outcome_known
    assert not caught.value.permanent


def test_each_attempt_asks_and_a_429_is_seen(serve: Serve, connect: Connect) -> None:
    server, gate = serve(does.json(429, {}), does.json(200, {"id": "x"})), Gate()

    connect(server, limiter=gate).get_quote("AAAAA-BBBBB-INS")

    assert gate.left == ["throttled", "answered"]


def test_quotes_and_bookings_share_a_group_and_the_rest_another(
    serve: Serve, connect: Connect
) -> None:
    gate = Gate(closed=True)
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
