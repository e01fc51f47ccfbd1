"""A receiver of webhooks over HTTP, and what was sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from django_xcover.sandbox import Sandbox


class Receiver(BaseHTTPRequestHandler):
    """Answers with the server's statuses, one after the other, and keeps what came."""

    server: Receivers

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((dict(self.headers), body))
        self.server.heard()
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if statuses else 200)
        self.send_header("Content-Length", "0")
        self.send_header("Location", self.path)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class Receivers(ThreadingHTTPServer):
    received: list[tuple[dict[str, str], bytes]]
    statuses: list[int]
    heard: Callable[[], object]


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[str, Receivers]]:
    """Yield the address of a partner that answers with these statuses, then 200, and what came."""
    server = Receivers(("127.0.0.1", 0), Receiver)
    server.received, server.statuses, server.heard = [], list(statuses), lambda: None
    thread = Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/xcover/webhooks/", server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def events_of(sandbox: Sandbox) -> list[str]:
    return [delivery.event for delivery in sandbox.webhooks.sent]
