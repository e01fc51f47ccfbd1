"""`manage.py xcover_sandbox`: a local XCover in its own process."""

from __future__ import annotations

import signal
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.context import DEFAULT_SITE
from django_xcover.sandbox.http.latency import NAMES
from django_xcover.sandbox.http.server import serve
from django_xcover.sandbox.webhooks import DEFAULT_KEY, DEFAULT_SECRET

A_MINUTE = 60.0  # How often it is looked whether a renewal has fallen due.


class Command(BaseCommand):
    """Serve the sandbox until SIGINT or SIGTERM."""

    help = "Serves a local XCover at /x/ and /xcover/, with its policy documents."
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own declaration

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare where to listen, as whom, and where to keep state."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8700, help="0 takes a free port")
        parser.add_argument("--partner-code", default="SHOP1")
        parser.add_argument("--api-key", default="sandbox-key")
        parser.add_argument("--api-secret", default="sandbox-secret")
        parser.add_argument("--database", default=":memory:", help="a SQLite file to keep state in")
        parser.add_argument("--site-url", default=DEFAULT_SITE, help="where document links point")
        parser.add_argument("--latency", default="none", help=f"how long answers take. {NAMES}")
        parser.add_argument("--webhook-url", help="where webhooks are sent")
        parser.add_argument("--webhook-key", default=DEFAULT_KEY)
        parser.add_argument("--webhook-secret", default=DEFAULT_SECRET)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve, say where, wait for the signal."""
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
