"""A shop whose steps and workers are processes of their own."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.processes.brokers import Broker

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # only a test that fails waits so long
FOUND = """
    SELECT kind, state, attempts, package.status
    FROM xcover_operation AS operation
    JOIN xcover_quotepackage AS package ON package.id = operation.package_id
    ORDER BY operation.id
"""
Operation = tuple[str, str, int, str]


class Shop:
    """One shop: a directory with its database and, without a server, its broker."""

    def __init__(self, directory: Path, broker: Broker, xcover: str) -> None:
        self._directory = directory
        self._log = directory / "worker.log"
        self._env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
            "PROCESS_DIR": str(directory),
            "PROCESS_BROKER": broker.url,
            "PROCESS_QUEUE": broker.name,
            "PROCESS_XCOVER": f"{xcover}/x",
        }
        for folder in ("broker", "control"):
            (directory / folder).mkdir(parents=True, exist_ok=True)

    def with_tables_of(self, other: Shop) -> Shop:
        """Take over the database of a shop whose processes have ended."""
        for file in other._directory.glob("shop.sqlite3*"):
            shutil.copy(file, self._directory)
        return self

    def step(self, name: str) -> None:
        """Carry out one step of `tests.processes.steps`."""
        command = [sys.executable, "-W", "ignore", "-m", "tests.processes.steps", name]
        done = subprocess.run(
            command, cwd=ROOT, env=self._env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr

    @contextmanager
    def worker(self, processes: int = 1) -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker with beat in a group of its own, and end the group afterwards."""
        command = [sys.executable, "-m", "celery", "-A", "example_shop", "worker", "-B"]
        command += ["-c", str(processes), "-l", "INFO", "--without-gossip", "--without-mingle"]
        command += ["--schedule", str(self._directory / "beat")]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self._env, stdout=log, stderr=log, start_new_session=True
            )
            try:
                yield process
            finally:
                kill(process)

    def operations(self) -> list[Operation]:
        """Return kind, state, attempts and the package's status of each operation, oldest first."""
        with closing(self._database()) as database:
            return list(database.execute(FOUND))

    def states(self) -> list[str]:
        """Return the state of each operation, oldest first."""
        return [state for _, state, _, _ in self.operations()]

    def let_leases_run_out(self) -> None:
        """Let the time pass for which a worker may hold what it has claimed."""
        with closing(self._database()) as database, database:
            database.execute("UPDATE xcover_operation SET lease_until = '2020-01-01 00:00:00'")

    def log(self) -> str:
        """Return what the workers have printed."""
        return self._log.read_text()

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self._directory / "shop.sqlite3", timeout=PATIENCE)


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a worker and its children with SIGKILL: no handler runs, nothing is put away."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(condition: Callable[[], bool], why: Callable[[], str]) -> None:
    """Wait for another process; fail with `why` when it takes too long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, why()
        time.sleep(0.05)
