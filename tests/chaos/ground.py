"""What a run stands on: a directory, a database and a queue of its own, gone when it ends."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from tests.chaos.proxy import Proxy, proxy_to

HOST = "127.0.0.1"
POSTGRESQL = int(os.environ.get("PGPORT", "5432"))
BROKERS = {
    "rabbitmq": (5672, "amqp://guest:guest@127.0.0.1:{port}//"),
    "redis": (6379, "redis://127.0.0.1:{port}/13"),
}


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a run happens. The processes reach database, broker and XCover through the proxies.

    `xcover_url` is XCover itself, for the harness.
    """

    name: str
    directory: Path
    broker: str
    database_wire: Proxy
    broker_wire: Proxy
    xcover_wire: Proxy
    shop_port: int
    xcover_port: int

    @property
    def shop_url(self) -> str:
        return f"http://{HOST}:{self.shop_port}"

    @property
    def xcover_url(self) -> str:
        return f"http://{HOST}:{self.xcover_port}"

    def environment(self, *, direct: bool = False) -> dict[str, str]:
        """Return the variables of the settings; `direct` for the harness, which is never cut."""
        port, address = BROKERS[self.broker]
        database_port = POSTGRESQL if direct else self.database_wire.port
        return {
            "DJANGO_SETTINGS_MODULE": "tests.chaos.settings",
            "SHOP_SECRET_KEY": self.name,
            "XCOVER_DEMO_DIR": str(self.directory),
            "CHAOS_DIR": str(self.directory),
            "CHAOS_DATABASE": self.name,
            "CHAOS_DATABASE_PORT": str(database_port),
            "CHAOS_BROKER": address.format(port=port if direct else self.broker_wire.port),
            "CHAOS_XCOVER": f"http://{HOST}:{self.xcover_wire.port}",
            "CHAOS_CLOCK": f"{self.xcover_url}/_sandbox/clock",
        }

    def terminate_connections(self) -> None:
        """Have PostgreSQL end every connection to the run's own database."""
        with closing(_server()) as server:
            _terminate(server, self.name)


@contextmanager
def own_ground(broker: str) -> Iterator[Ground]:
    """Yield a fresh ground, and leave nothing of it behind."""
    with ExitStack() as stack:
        name = f"xcover_chaos_{secrets.token_hex(4)}"
        directory = Path(tempfile.gettempdir(), name)
        directory.mkdir()
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        stack.enter_context(_database(name))
        stack.callback(_delete_queue, broker, name)
        database_wire = stack.enter_context(proxy_to(POSTGRESQL))
        broker_wire = stack.enter_context(proxy_to(BROKERS[broker][0]))
        xcover_port = free_port()
        yield Ground(
            name,
            directory,
            broker,
            database_wire,
            broker_wire,
            stack.enter_context(proxy_to(xcover_port)),
            shop_port=free_port(),
            xcover_port=xcover_port,
        )


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _database(name: str) -> Iterator[None]:
    with closing(_server()) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield
    finally:
        with closing(_server()) as server:
            server.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _server() -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host=HOST,
        port=POSTGRESQL,
        user=os.environ.get("PGUSER", "postgres"),
        password=os.environ.get("PGPASSWORD", ""),
        dbname="postgres",
        autocommit=True,
    )


def _terminate(server: psycopg.Connection[tuple[object, ...]], name: str) -> None:
    server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
    )


def _delete_queue(broker: str, name: str) -> None:
    port, address = BROKERS[broker]
    if broker == "redis":
        _delete_keys(address.format(port=port), name)
        return
    from kombu import Connection, Exchange, Queue

    with Connection(address.format(port=port)) as connection, suppress(Exception):
        channel = connection.channel()
        Queue(name, channel=channel).delete()
        Exchange(name, channel=channel).delete()


def _delete_keys(address: str, name: str) -> None:
    import redis

    with closing(redis.Redis.from_url(address)) as client:
        for key in client.scan_iter(match=f"{name}:*"):
            client.delete(key)
