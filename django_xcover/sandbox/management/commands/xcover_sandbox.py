"""`manage.py xcover_sandbox`: run a local XCover in its own process."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.context import DEFAULT_SITE
from django_xcover.sandbox.http.faults import NAMES
from django_xcover.sandbox.http.server import serve
from django_xcover.sandbox.webhooks import DEFAULT_KEY, DEFAULT_SECRET

A_MINUTE = 60.0  # How often to check for due renewals.


class Command(BaseCommand):
    """Run the sandbox until SIGINT or SIGTERM."""

    help = "Serves a local XCover at /x/ and /xcover/, with its policy documents."
    requires_system_checks: list[str] = []  # noqa: RUF012 - as Django declares it

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the address, the credentials, and the options for state, latency and webhooks."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8700, help="0 chooses a free port")
        parser.add_argument("--partner-code", default="SHOP1")
        parser.add_argument("--api-key", default="sandbox-key")
        parser.add_argument("--api-secret", default="sandbox-secret")
        parser.add_argument("--database", default=":memory:", help="a SQLite file for the state")
        parser.add_argument(
            "--site-url", default=DEFAULT_SITE, help="the base URL of document links"
        )
        parser.add_argument("--latency", default="none", help=f"how long responses take. {NAMES}")
        parser.add_argument("--webhook-url", help="the URL to send webhooks to")
        parser.add_argument("--webhook-key", default=DEFAULT_KEY)
        parser.add_argument("--webhook-secret", default=DEFAULT_SECRET)

    def handle(self, *args: Any, **options: Any) -> None:
        """Start the server, print its URL, and wait for a signal."""
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        sandbox = Sandbox(
            partner_code=options["partner_code"],
            api_key=options["api_key"],
            api_secret=options["api_secret"],
            database=options["database"],
            site_url=options["site_url"],
        )
        try:
            sandbox.latency.set(options["latency"])
        except ValueError as wrong:
            raise CommandError(str(wrong)) from None
        if options["webhook_url"]:
            sandbox.webhooks.subscribe(
                options["webhook_url"],
                key=options["webhook_key"],
                secret=options["webhook_secret"],
            )
        with serve(sandbox, host=options["host"], port=options["port"]) as url:
            self.stdout.write(f"XCover sandbox at {url}/x and {url}/xcover. Stop it with Ctrl-C.")
            self.stdout.flush()
            while not stop.wait(A_MINUTE):
                sandbox.tick()
        sandbox.close()
        self.stdout.write("XCover sandbox stopped.")
