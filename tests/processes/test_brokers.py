"""A broker that goes away and comes back, and what a test leaves in it."""

from __future__ import annotations

import pytest
from kombu import Connection

from django_xcover.sandbox import Sandbox
from tests.chaos.proxy import proxy_to
from tests.processes.brokers import SERVERS, Broker, own_broker, remains
from tests.processes.conftest import Open
from tests.processes.crew import PATIENCE, until

pytestmark = [pytest.mark.processes, pytest.mark.parametrize("transport", sorted(SERVERS))]


def test_an_order_paid_while_the_broker_was_away_is_found_by_the_sweeper(
    open_shop: Open, broker: Broker, sandbox: Sandbox
) -> None:
    with proxy_to(broker.port) as wire:
        shop = open_shop(broker.behind(wire.port))
        with shop.worker():
            until(lambda: "ready." in shop.log(), shop.log)
            wire.cut(PATIENCE)

            shop.step("sell")

            assert shop.states() == ["pending"]
            assert sandbox.calls("create_booking") == []
            wire.cut(0)
            until(lambda: shop.states() == ["done"], shop.log)

    assert [package["status"] for package in sandbox.packages()] == ["CONFIRMED"]
    assert len(sandbox.calls("create_booking")) == 1


class Trouble(Exception):
    """What ends a test before its end."""


def test_a_test_that_fails_leaves_nothing_in_the_broker(transport: str) -> None:
    used: list[Broker] = []

    with pytest.raises(Trouble):
        leave_a_task(transport, used)

    assert remains(used[0]) == []


def leave_a_task(transport: str, used: list[Broker]) -> None:
    """Hand over a task that nobody takes, and fail."""
    with own_broker(transport) as broker:
        used.append(broker)
        options = {"global_keyprefix": f"{broker.name}:"} if transport == "redis" else {}
        with Connection(broker.url, transport_options=options) as connection:
            connection.SimpleQueue(broker.name).put({"task": "left behind"})
        assert remains(broker)
        raise Trouble
