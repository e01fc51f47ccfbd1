"""State outlives the process: files, and the real command."""

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

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from tests.sandbox.support import HOME, Caller, a_booking, a_cart
from tests.sandbox.webhooks.support import receiver

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0  # only a test that fails waits so long
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


def _environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "command_settings.py").write_text(SETTINGS)
    return {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{tmp_path}",
        "DJANGO_SETTINGS_MODULE": "command_settings",
    }


def _manage(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "django", *arguments]
    return subprocess.run(
        command,
        env=_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def _until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.02)


@contextmanager
def _command(tmp_path: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [
        *(sys.executable, "-W", "error::ResourceWarning", "-m", "django", "xcover_sandbox"),
        *("--port", "0", "--partner-code", "ACME1", "--api-key", "key", "--api-secret", "secret"),
        *("--database", str(tmp_path / "sandbox.sqlite3")),
        *options,
    ]
    process = subprocess.Popen(
        command,
        env=_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
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
def test_the_command_ends_cleanly_and_does_not_wait_for_a_client_that_stays_connected(
    tmp_path: Path, number: signal.Signals
) -> None:
    with _command(tmp_path) as (process, url), requests.Session() as session:
        caller = Caller(session, f"{url}/xcover", "key", "secret", "ACME1")
        assert caller.call("POST", "quotes/", a_cart()).status_code == 201

        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE)

        assert (process.returncode, err) == (0, "")
        assert "stopped" in out


@pytest.mark.processes
def test_a_killed_command_has_lost_nothing(tmp_path: Path) -> None:
    with _command(tmp_path) as (process, url), requests.Session() as session:
        package = Caller(session, f"{url}/x", "key", "secret", "ACME1").quoted()
        process.kill()
        process.wait(PATIENCE)

    with _command(tmp_path) as (_, url), requests.Session() as session:
        caller = Caller(session, f"{url}/x", "key", "secret", "ACME1")

        found = caller.call("GET", f"quotes/{package['id']}/").json()

        assert found["quotes"]["0"]["id"] == package["quotes"]["0"]["id"]


@pytest.mark.processes
def test_the_command_sends_webhooks_and_the_clock_command_brings_the_year_round(
    tmp_path: Path,
) -> None:
    with receiver() as (webhook_url, received):
        options = ("--webhook-url", webhook_url, "--webhook-key", "k", "--webhook-secret", "s")
        with _command(tmp_path, *options) as (_, url), requests.Session() as session:
            Caller(session, f"{url}/x", "key", "secret", "ACME1").booked(HOME)
            moved = _manage(tmp_path, "xcover_sandbox_clock", "--advance", "400d", "--url", url)
            _until(lambda: len(received.received) == 4)

    assert moved.returncode == 0
    assert "The sandbox's time is" in moved.stdout
    assert [json.loads(body)["event"] for _, body in received.received] == [
        "BOOKING_CREATED",
        "RENEWAL_CREATED",
        "RENEWAL_NOTIFICATION",
        "RENEWAL_DUE",
    ]
    assert {headers["X-Api-Key"] for headers, _ in received.received} == {"k"}


def test_instalments_and_their_failures_survive_a_restart(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.sqlite3"
    with _opened(database) as (_, caller):
        package = caller.quoted(HOME)
        body = a_booking(package)
        body["quotes"][0]["instalment_plan"] = "1year-monthly"
        caller.call("POST", f"bookings/{package['id']}/", body)
        path = f"bookings/{package['id']}/instalments/"
        for number, status in ((2, "FAILED"), (2, "PAID"), (3, "FAILED")):
            report = {"instalment_number": number, "payment_status": status}
            caller.call("POST", path, {"quotes": [{"id": body["quotes"][0]["id"], **report}]})
        before = caller.call("GET", path).json()

    with _opened(database) as (_, caller):
        after = caller.call("GET", path).json()

    assert after == before
    assert after["quotes"][0]["next_payment"]["number"] == 3
    assert len(after["quotes"][0]["next_payment"]["payment_failures"]) == 1


def test_a_state_file_of_before_renewals_is_still_read(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.sqlite3"
    with _opened(database) as (sandbox, caller):
        booking = caller.booked(HOME)
        ((document,),) = sandbox.store.rows("SELECT document FROM package")
        old = json.loads(document)
        for name in ("renewals", "renewal_events"):
            del old[name]
        for name in ("renewed_times", "renewal_declined", "settled"):
            del old["quotes"][0][name]
        sandbox.store.rows("UPDATE package SET document = ?", (json.dumps(old),))
        sandbox.store.rows("DROP TABLE renewal")

    with _opened(database) as (sandbox, caller):
        sandbox.clock.advance(days=400)

        path = f"renewals/{booking['id']}/quote_for_renewal/"
        assert caller.call("PATCH", path).status_code == 200
