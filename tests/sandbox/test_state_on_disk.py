"""State outlives the process: files, and the real command."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.inprocess import mount
from tests.sandbox.support import Caller, a_booking, a_cart

ROOT = Path(__file__).parents[2]
SETTINGS = """
SECRET_KEY = "not a secret"
INSTALLED_APPS = ["django_xcover.sandbox"]
"""


@contextmanager
def _opened(database: Path) -> Iterator[tuple[Sandbox, Caller]]:
    sandbox = Sandbox(database=str(database))
    with requests.Session() as session:
        mount(session, "https://xcover.test/x", sandbox)
        yield sandbox, Caller(session, "https://xcover.test/x")
    sandbox.close()


def test_packages_keys_calls_and_clock_survive_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.sqlite3"
    with _opened(database) as (sandbox, caller):
        package = caller.quoted()
        path, body = f"bookings/{package['id']}/", a_booking(package)
        booked = caller.call("POST", path, body, key="one")
        sandbox.clock.advance(hours=5)
        truth, offset = sandbox.package(package["id"]), sandbox.clock.offset

    with _opened(database) as (sandbox, caller):
        replayed = caller.call("POST", path, body, key="one")

        assert (replayed.status_code, replayed.content) == (409, booked.content)
        assert sandbox.package(package["id"]) == truth
        assert sandbox.clock.offset == offset
        assert [call.status for call in sandbox.calls()] == [201, 200, 409]


@contextmanager
def _command(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    (tmp_path / "command_settings.py").write_text(SETTINGS)
    command = [
        *(sys.executable, "-W", "error::ResourceWarning", "-m", "django", "xcover_sandbox"),
        *("--port", "0", "--partner-code", "ACME1", "--api-key", "key", "--api-secret", "secret"),
        *("--database", str(tmp_path / "sandbox.sqlite3")),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{tmp_path}",
        "DJANGO_SETTINGS_MODULE": "command_settings",
    }
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        yield process, line.split("/x and ")[0].removeprefix("XCover sandbox at ")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.processes
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_ends_at_once_and_cleanly_with_a_client_connected(
    tmp_path: Path, number: signal.Signals
) -> None:
    with _command(tmp_path) as (process, url), requests.Session() as session:
        caller = Caller(session, f"{url}/xcover", "key", "secret", "ACME1")
        assert caller.call("POST", "quotes/", a_cart()).status_code == 201

        began = time.monotonic()
        process.send_signal(number)
        out, err = process.communicate(timeout=10)

        assert time.monotonic() - began < 3
        assert (process.returncode, err) == (0, "")
        assert "stopped" in out


@pytest.mark.processes
def test_a_killed_command_has_lost_nothing(tmp_path: Path) -> None:
    with _command(tmp_path) as (process, url), requests.Session() as session:
        package = Caller(session, f"{url}/x", "key", "secret", "ACME1").quoted()
        process.kill()
        process.wait(5)

    with _command(tmp_path) as (_, url), requests.Session() as session:
        caller = Caller(session, f"{url}/x", "key", "secret", "ACME1")

        found = caller.call("GET", f"quotes/{package['id']}/").json()

        assert found["quotes"]["0"]["id"] == package["quotes"]["0"]["id"]
