"""`manage.py xcover_sandbox_clock`, against a running sandbox and against a file."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from django.core.management.base import CommandError, OutputWrapper

from django_xcover.sandbox import Sandbox, datetimes
from django_xcover.sandbox.http.server import serve
from django_xcover.sandbox.management.commands.xcover_sandbox_clock import Command


def _run(*arguments: str) -> str:
    command = Command()
    out = io.StringIO()
    options = vars(command.create_parser("manage.py", "xcover_sandbox_clock").parse_args(arguments))
    command.stdout = OutputWrapper(out)
    command.handle(**options)
    return out.getvalue()


def _said(output: str) -> datetime:
    return datetime.fromisoformat(output.removeprefix("The sandbox's time is ").removesuffix(".\n"))


@pytest.mark.parametrize("text", ["", "400", "d400", "1.5d", "-3d", "3w", "1d 2h"])
def test_a_time_nobody_can_read_is_refused_with_an_example(text: str) -> None:
    with pytest.raises((ValueError, CommandError), match="such as 400d, 12h, 30m, 90s or 1d12h"):
        _run(f"--advance={text}")


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("400d", timedelta(days=400)),
        ("12h", timedelta(hours=12)),
        ("30m", timedelta(minutes=30)),
        ("90s", timedelta(seconds=90)),
        ("1d12h", timedelta(days=1, hours=12)),
    ],
)
def test_days_hours_minutes_and_seconds_are_read(text: str, span: timedelta) -> None:
    assert datetimes.parse_span(text) == span


def test_a_sandbox_that_does_not_run_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"No sandbox answers at http://127\.0\.0\.1:9\."):
        _run("--advance=1d", "--port=9")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = tmp_path / "nothing.sqlite3"

    with pytest.raises(CommandError, match="There is no state file"):
        _run("--advance=1d", f"--database={missing}")

    assert not missing.exists()


def test_a_running_sandbox_moves_on_and_says_when_it_is(sandbox: Sandbox) -> None:
    with serve(sandbox) as url:
        now = _said(_run("--advance=400d", f"--url={url}"))
        read = _said(_run(f"--url={url}"))

    assert sandbox.clock.offset == timedelta(days=400)
    assert timedelta(days=399) < now - datetime.now(UTC) < timedelta(days=401)
    assert now <= read


def test_a_state_file_moves_on_without_a_server(tmp_path: Path) -> None:
    database = tmp_path / "sandbox.sqlite3"
    Sandbox(database=str(database)).close()

    _run("--advance=1d12h", f"--database={database}")

    opened = Sandbox(database=str(database))
    assert opened.clock.offset == timedelta(hours=36)
    opened.close()


def test_the_clock_refuses_a_year_no_calendar_has(sandbox: Sandbox) -> None:
    with pytest.raises(OverflowError):
        sandbox.clock.advance(days=3_000_000)

    assert sandbox.clock.offset == timedelta()


def test_the_control_page_moves_time_in_both_spellings(sandbox: Sandbox) -> None:
    with serve(sandbox) as url:
        page = f"{url}/_sandbox/clock"
        assert requests.post(page, json={"advance": "1d"}, timeout=5).status_code == 200
        assert requests.post(page, json={"advance_seconds": 3600}, timeout=5).status_code == 200
        refused = requests.post(page, json={"advance": "soon"}, timeout=5)

    assert sandbox.clock.offset == timedelta(hours=25)
    assert (refused.status_code, "such as 400d" in refused.json()["message"]) == (400, True)
