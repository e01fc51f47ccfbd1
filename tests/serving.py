"""The shop over HTTP, until its last request has been answered."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any

from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.servers.basehttp import ThreadedWSGIServer
from django.test.testcases import LiveServerThread

# Seconds that a request may still take: longer than a test waits for anything.
LONGEST = 60


class Server(ThreadedWSGIServer):
    """A server that closes when no request is left.

    Django's abandons them: a request whose browser has given up would go on without the test's
    sandbox and settings, and write into the database of the next test.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._connections: list[tuple[Thread, socket.socket]] = []
        super().__init__(*args, **kwargs)

    def serve_forever(self, poll_interval: float = 0.02) -> None:
        """Look often whether to stop: each test stops its server."""
        super().serve_forever(poll_interval)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Handle a connection in a thread, and remember both."""
        thread = Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._connections.append((thread, request))
        thread.start()

    def server_close(self) -> None:
        """Read nothing more from the connections, and wait until what was read is answered."""
        super().server_close()
        for _, connection in self._connections:
            with suppress(OSError):  # closed already
                connection.shutdown(socket.SHUT_RD)
        for thread, _ in self._connections:
            thread.join(LONGEST)
            assert not thread.is_alive(), "A request of this test has not ended."


class Site(LiveServerThread):
    """A thread that serves the shop."""

    server_class = Server


@contextmanager
def serving() -> Iterator[str]:
    """Serve the shop inside the block and yield its address. Nothing goes on after the block."""
    site = Site("127.0.0.1", StaticFilesHandler)
    site.daemon = True
    site.start()
    site.is_ready.wait()
    if site.error:
        raise site.error
    try:
        yield f"http://{site.host}:{site.port}"
    finally:
        site.terminate()
