"""`manage.py xcover_sandbox_clock --advance 400d`: move time, for renewals and instalments."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from django_xcover.sandbox import datetimes
from django_xcover.sandbox.clock import Clock
from django_xcover.sandbox.store import Store

DEFAULT_URL = "http://127.0.0.1:8700"
TIMEOUT = 30  # Seconds, because a leap of a year sends an event for each renewal due in it.


class Command(BaseCommand):
    """Show the sandbox's time, or move it forward."""

    help = (
        "Shows the sandbox's time, or moves it forward with --advance. Use --url or --port for a "
        "running sandbox, and --database for the state file of one that is not running."
    )
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the time span and the sandbox."""
        parser.add_argument(
            "--advance", type=_span, metavar="TIME", help="such as 400d, 12h, 30m, 1d12h or 90s"
        )
        place = parser.add_mutually_exclusive_group()
        place.add_argument("--url", help="the URL of a running sandbox")
        place.add_argument(
            "--port",
            type=int,
            help="its port on this machine; default: the one in the settings, or 8700",
        )
        place.add_argument("--database", help="the state file of a sandbox that is not running")

    def handle(self, *args: Any, **options: Any) -> None:
        """Move the clock if requested, and print its time."""
        advance: timedelta | None = options["advance"]
        if options["database"]:
            now = _in_file(options["database"], advance)
        else:
            now = _over_http(_url(options).rstrip("/"), advance)
        self.stdout.write(f"The sandbox's time is {now}.")


def _url(options: dict[str, Any]) -> str:
    if options["url"]:
        return str(options["url"])
    return f"http://127.0.0.1:{options['port']}" if options["port"] else _url_of_settings()


def _url_of_settings() -> str:
    """Return the URL of a sandbox on this machine in the settings, or the default URL."""
    for account in getattr(settings, "XCOVER", {}).get("ACCOUNTS", {}).values():
        parts = urlsplit(str(account.get("BASE_URL", "")))
        if parts.hostname in {"127.0.0.1", "localhost", "::1"}:
            return f"{parts.scheme}://{parts.netloc}"
    return DEFAULT_URL


def _span(text: str) -> timedelta:
    try:
        return datetimes.parse_span(text)
    except (ValueError, OverflowError) as wrong:
        raise ArgumentTypeError(str(wrong)) from None


def _in_file(database: str, advance: timedelta | None) -> str:
    if not Path(database).is_file():
        raise CommandError(f"There is no state file {database}.")
    store = Store(database)
    try:
        clock = Clock(store)
        clock.advance(advance)
        return str(datetimes.stamp(clock.now()))
    finally:
        store.close()


def _over_http(url: str, advance: timedelta | None) -> str:
    address = f"{url}/_sandbox/clock"
    try:
        if advance is None:
            answer = requests.get(address, timeout=TIMEOUT)
        else:
            body = {"advance_seconds": int(advance.total_seconds())}
            answer = requests.post(address, json=body, timeout=TIMEOUT)
        answer.raise_for_status()
        return str(answer.json()["now"])
    except (requests.RequestException, ValueError, KeyError) as wrong:
        raise CommandError(
            f"No sandbox answers at {url}. Start one with `manage.py xcover_sandbox`, or name "
            f"its state file with --database. ({type(wrong).__name__})"
        ) from None
