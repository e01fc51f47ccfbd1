"""Real workers, killed at the worst moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.server import serve
from tests.requirements import need_module, need_server

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Shop:
    """A shop whose steps and workers are processes of their own."""

    def __init__(self, directory: Path, broker: str, xcover: str) -> None:
        self.env = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.processes.settings",
            "PROCESS_DIR": str(directory),
            "PROCESS_BROKER": broker,
            "PROCESS_XCOVER": f"{xcover}/x",
        }
        self._log = directory / "worker.log"
        self.step("prepare")

    def step(self, name: str) -> dict[str, Any]:
        """Carry out one step and return what it found."""
        command = [sys.executable, "-W", "ignore", "-m", "tests.processes.steps", name]
        done = subprocess.run(
            command, cwd=ROOT, env=self.env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run a worker with beat in a group of its own, and end the group afterwards."""
        command = [sys.executable, "-m", "celery", "-A", "example_shop", "worker", "-B"]
        schedule = str(self._log.with_suffix(".beat"))
        command += ["-c", "1", "-l", "INFO", "--schedule", schedule]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
            )
            try:
                yield process
            finally:
                kill(process)

    def log(self) -> str:
        """Return what the workers have printed."""
        return self._log.read_text()


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
        time.sleep(0.1)


def broker(name: str) -> str:
    """Return the address of a broker that is there."""
    if name == "filesystem":
        return "filesystem://"
    need_server(name)
    if name == "redis":
        need_module("redis", serving="redis")
        return "redis://127.0.0.1:6379/13"
    return "amqp://guest:guest@127.0.0.1:5672//"


@pytest.fixture
def sandbox() -> Sandbox:
    """Return a local XCover that will be served over HTTP."""
    return Sandbox(partner_code="SHOP1", api_key="sandbox-key", api_secret="sandbox-secret")


@pytest.mark.parametrize("transport", ["filesystem", "redis", "rabbitmq"])
def test_a_paid_order_is_booked_through_a_real_broker(
    tmp_path: Path, sandbox: Sandbox, transport: str
) -> None:
    with serve(sandbox) as url:
        shop = Shop(tmp_path, broker(transport), url)
        with shop.worker():
            shop.step("sell")
            until(lambda: shop.step("look")["state"] == "done", shop.log)

    assert [package["status"] for package in sandbox.packages()] == ["CONFIRMED"]
    assert "ana@example.com" not in shop.log()
    assert len(sandbox.calls("create_booking")) == 1


@pytest.mark.parametrize("fault", ["hang", "process_then_hang"])
def test_a_worker_killed_between_claim_and_answer_leaves_one_policy(
    tmp_path: Path, sandbox: Sandbox, fault: str
) -> None:
    """`hang`: the booking never reached XCover. `process_then_hang`: only its answer is missing."""
    with serve(sandbox) as url:
        shop = Shop(tmp_path, "filesystem://", url)
        hanging = sandbox.faults.add("create_booking", fault, seconds=PATIENCE)
        with shop.worker() as process:
            shop.step("sell")
            assert hanging.entered.wait(PATIENCE), shop.log()
            assert shop.step("look")["state"] == "running"
            kill(process)
        hanging.release()

        with shop.worker():
            until(lambda: shop.step("look")["state"] == "done", shop.log)

    found = shop.step("look")
    assert found["status"] == "CONFIRMED"
    assert found["attempts"] == 2
    assert [package["status"] for package in sandbox.packages()] == ["CONFIRMED"]
    booked = [call for call in sandbox.calls("create_booking") if call.status == 200]
    assert len(booked) == 1
