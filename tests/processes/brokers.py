"""The broker of one test: a server other people use too, and in it a queue of the test's own."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from kombu import Connection, Exchange, Queue

from tests.requirements import PORTS, need_module, need_server

SERVERS = {
    "redis": "redis://127.0.0.1:{port}/13",
    "rabbitmq": "amqp://guest:guest@127.0.0.1:{port}//",
}
TRANSPORTS = ("filesystem", *SERVERS)


@dataclass(frozen=True)
class Broker:
    """Where a test's processes hand over their tasks; its keys in Redis begin with `name`."""

    transport: str
    name: str
    port: int = 0

    @property
    def url(self) -> str:
        """Return the address as Celery wants it."""
        return SERVERS.get(self.transport, "filesystem://").format(port=self.port)

    def behind(self, port: int) -> Broker:
        """Return the same broker, reached by another port."""
        return replace(self, port=port)


@contextmanager
def own_broker(transport: str) -> Iterator[Broker]:
    """Yield a broker with nothing in it, and leave nothing of it behind; skip without a server."""
    broker = Broker(transport, f"xcover_test_{secrets.token_hex(4)}", PORTS.get(transport, 0))
    if transport != "filesystem":
        need_server(transport)
    if transport == "redis":
        need_module("redis", serving="redis")
    try:
        yield broker
    finally:
        _clear(broker)


def remains(broker: Broker) -> list[str]:
    """Return what the server holds in the broker's name: keys of Redis, queues of RabbitMQ."""
    if broker.transport == "redis":
        return _keys(broker)
    with Connection(broker.url) as connection:
        channel: Any = connection.default_channel
        try:
            channel.queue_declare(broker.name, passive=True)
        except connection.channel_errors:  # there is none
            return []
    return [broker.name]


def _clear(broker: Broker) -> None:
    if broker.transport == "redis":
        _keys(broker, delete=True)
    elif broker.transport == "rabbitmq":
        with Connection(broker.url) as connection:
            Queue(broker.name, channel=connection.default_channel).delete()
            Exchange(broker.name, channel=connection.default_channel).delete()


def _keys(broker: Broker, *, delete: bool = False) -> list[str]:
    from redis import Redis

    with closing(Redis.from_url(broker.url, decode_responses=True)) as client:
        found = list(client.scan_iter(match=f"{broker.name}*"))
        if found and delete:
            client.delete(*found)
    return found
