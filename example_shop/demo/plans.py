"""The demo's processes: a local XCover, a Celery worker, beat and the shop."""

from __future__ import annotations

import socket
from collections.abc import Mapping

import requests
from django.conf import settings

from example_shop.celery import app
from example_shop.data_dir import DATA_DIR
from example_shop.demo.processes import Plan

HOST = "127.0.0.1"
# Not secret: the sandbox only runs on this machine, so these give access to nothing else.
PARTNER_CODE, API_KEY, API_SECRET = "SHOP1", "sandbox-key", "sandbox-secret"


class PortTaken(Exception):
    """Another program listens on a port; `str()` says which."""


def claim_port(wanted: int) -> int:
    """Return `wanted`, or a free port for 0; raise PortTaken if the port is in use."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, wanted))
        except OSError as error:
            raise PortTaken(f"Port {wanted} on {HOST} cannot be used: {error.strerror}.") from error
        except OverflowError as error:
            raise PortTaken(f"Port {wanted} does not exist: the highest is 65535.") from error
        if not wanted:
            _reserve(probe)
        port: int = probe.getsockname()[1]
        return port


def _reserve(probe: socket.socket) -> None:
    """Keep the system from giving out this port as a free one, for half a minute or more.

    Until our own process listens, another would get it, and its answers would pass for ours. The
    side that closes a connection first keeps its port in TIME_WAIT: only who names the port, with
    SO_REUSEADDR as every server does, can have it then.
    """
    probe.listen(1)
    with socket.create_connection(probe.getsockname()):
        accepted, _ = probe.accept()
        accepted.close()


def plans(
    *, shop_port: int, sandbox_port: int, latency: str, environment: Mapping[str, str]
) -> tuple[Plan, ...]:
    """Return the processes in the order in which they are needed.

    `environment` has further variables for all of them.
    """
    environment = {
        **environment,
        "DJANGO_SETTINGS_MODULE": "example_shop.settings",
        "SHOP_URL": url(shop_port).rstrip("/"),
        "XCOVER_BASE_URL": f"{url(sandbox_port)}x",
        "XCOVER_PARTNER_CODE": PARTNER_CODE,
        "XCOVER_API_KEY": API_KEY,
        "XCOVER_API_SECRET": API_SECRET,
    }
    return (
        _plan(
            "sandbox", _sandbox(sandbox_port, shop_port, latency), environment, port=sandbox_port
        ),
        Plan(name="worker", command=WORKER, environment=environment, answers=_worker_answers),
        Plan(name="beat", command=BEAT, environment=environment, answers=lambda: True),
        _plan("shop", _shop(shop_port), environment, port=shop_port),
    )


def declare_queues() -> None:
    """Create the queues before they are used.

    kombu's filesystem transport creates a queue's entry in two steps; of several processes that
    start at once, one may read it half-made and end.
    """
    with app.connection_for_write() as connection:
        for queue in app.amqp.queues.values():
            queue(connection.default_channel).declare()


def url(port: int) -> str:
    return f"http://{HOST}:{port}/"


# Threads, so that there is one process to stop; SQLite only allows one writer at a time anyway.
WORKER = (
    "celery", "-A", "example_shop", "worker", "--pool", "threads", "--concurrency", "4",
    "--loglevel", "INFO", "--without-gossip", "--without-mingle",
)  # fmt: skip
BEAT = (
    "celery", "-A", "example_shop", "beat", "--loglevel", "INFO", "--pidfile=",
    "--schedule", str(DATA_DIR / "beat-schedule"),
)  # fmt: skip


def _sandbox(port: int, shop_port: int, latency: str) -> tuple[str, ...]:
    key, secret = next(iter(settings.XCOVER["ACCOUNTS"]["default"]["WEBHOOK_SECRETS"].items()))
    return (
        "django", "xcover_sandbox", "--port", str(port), "--site-url", url(port).rstrip("/"),
        "--partner-code", PARTNER_CODE, "--api-key", API_KEY, "--api-secret", API_SECRET,
        "--database", str(DATA_DIR / "xcover.sqlite3"),
        "--webhook-url", f"{url(shop_port)}xcover/webhooks/",
        "--latency", latency,
        "--webhook-key", key, "--webhook-secret", secret,
    )  # fmt: skip


def _shop(port: int) -> tuple[str, ...]:
    return ("waitress", f"--listen={HOST}:{port}", "--threads=8", "example_shop.wsgi:application")


def _plan(name: str, command: tuple[str, ...], environment: dict[str, str], *, port: int) -> Plan:
    return Plan(
        name=name, command=command, environment=environment, answers=lambda: _answers(url(port))
    )


def _answers(address: str) -> bool:
    try:
        requests.get(address, timeout=5)
    except requests.RequestException:
        return False
    return True


def _worker_answers() -> bool:
    return bool(app.control.ping(timeout=1.0, limit=1))
