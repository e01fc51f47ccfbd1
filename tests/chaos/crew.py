"""The run's processes: started, killed, started again, and gone when the run ends."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress
from typing import Self

import requests

from example_shop.demo.processes import Child, Family, Plan
from tests.chaos.ground import HOST, Ground
from tests.chaos.plants import VARIABLE
from tests.chaos.settings import WEBHOOK_KEY, WEBHOOK_SECRET

WORKERS = 2
WORKER = (
    "celery", "-A", "example_shop", "worker", "--pool", "threads", "--concurrency", "4",
    "--loglevel", "INFO", "--without-gossip", "--without-mingle",
)  # fmt: skip
SHOP = (
    "gunicorn", "--worker-class", "gthread", "--workers", "2", "--threads", "8",
    "--timeout", "60", "--access-logfile", "-", "--no-control-socket",
    "example_shop.wsgi:application",
)  # fmt: skip


class Crew:
    """A shop, a sandbox, workers and beat; as a context manager, they end with its block."""

    def __init__(self, ground: Ground, *, plant: str = "") -> None:
        self.stop = threading.Event()
        self.killed = 0
        self._ground = ground
        self._environment = {**ground.environment(), VARIABLE: plant}
        self._family = Family(ground.directory / "logs", self.stop)
        self._posts: dict[str, Child] = {}
        self._generation = 0
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        self._family.__enter__()
        try:
            self._family.start((self._sandbox(), self._shop()))
        except BaseException:
            self.__exit__()
            raise
        for number in range(WORKERS):
            self._man(f"worker-{number}")
        self._man("beat")
        return self

    def __exit__(self, *error: object) -> None:
        # Those that stopped long ago are children as well: their pipes are closed here.
        self._family.__exit__(None, None, None)

    def kill_worker(self, number: int) -> None:
        """Kill a worker and all its threads with SIGKILL, and start another in its place."""
        post = f"worker-{number % WORKERS}"
        with self._lock:
            child = self._posts[post]
            with suppress(ProcessLookupError):
                os.killpg(child.process.pid, signal.SIGKILL)
            child.process.wait()
            self.killed += 1
            self._man(post)

    def revive(self) -> None:
        """Start anew what has ended by itself, as a supervisor does."""
        with self._lock:
            for post, child in list(self._posts.items()):
                if child.process.poll() is not None:
                    self._man(post)

    def _man(self, post: str) -> None:
        self._generation += 1
        name = f"{post}-{self._generation}"
        command = self._beat(name) if post == "beat" else (*WORKER, "--hostname", f"{name}@chaos")
        child = Child(self._plan(name, command), self._family.logs)
        self._family.children.append(child)
        self._posts[post] = child

    def _beat(self, name: str) -> tuple[str, ...]:
        schedule = str(self._ground.directory / f"{name}.schedule")
        return ("celery", "-A", "example_shop", "beat", "--pidfile=", "--schedule", schedule)

    def _sandbox(self) -> Plan:
        ground = self._ground
        command = (
            "django", "xcover_sandbox", "--port", str(ground.xcover_port),
            "--site-url", ground.xcover_url, "--database", str(ground.directory / "xcover.sqlite3"),
            "--webhook-url", f"{ground.shop_url}/xcover/webhooks/",
            "--webhook-key", WEBHOOK_KEY, "--webhook-secret", WEBHOOK_SECRET,
        )  # fmt: skip
        return self._plan("sandbox", command, answers_at=f"{ground.xcover_url}/_sandbox/clock")

    def _shop(self) -> Plan:
        bind = ("--bind", f"{HOST}:{self._ground.shop_port}")
        return self._plan("shop", (*SHOP[:-1], *bind, SHOP[-1]), answers_at=self._ground.shop_url)

    def _plan(self, name: str, command: tuple[str, ...], *, answers_at: str = "") -> Plan:
        return Plan(
            name=name,
            command=command,
            environment=self._environment,
            answers=lambda: not answers_at or _answers(answers_at),
        )


def _answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=5).ok
    except requests.RequestException:
        return False
