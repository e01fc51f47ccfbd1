"""The sandbox's HTTP server: threaded, with keep-alive and an immediate stop."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from django_xcover.sandbox.context import DEFAULT_SITE
from django_xcover.sandbox.engine import Sandbox

logger = logging.getLogger("django_xcover.sandbox")


class Handler(WSGIRequestHandler):
    """An HTTP/1.1 handler that logs no queries, because links to documents have tokens there."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        """Register the connection, which may be idle when the server stops."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Unregister the connection."""
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log method, path and status at DEBUG."""
        logger.debug("%s %s %s", self.command, self.path.partition("?")[0], code)

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log connection errors at DEBUG, because clients that disconnect are normal."""
        logger.debug(format, *args)


class Server(ThreadedWSGIServer):
    """A threaded server that can close the connections that clients keep alive."""

    def __init__(self, host: str, port: int, sandbox: Sandbox) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(host, port, sandbox.wsgi_app, Handler)

    def stop(self) -> None:
        """Stop listening and close all connections."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the sandbox inside the block and yield its base URL.

    The API is at that URL plus `/x` and `/xcover`. Port 0 chooses a free one. Links to documents
    point to this server, unless the sandbox has its own `site_url`.
    """
    server = Server(host, port, sandbox)
    url = f"http://{host}:{server.port}"
    site = sandbox.site_url
    sandbox.site_url = url if site == DEFAULT_SITE else site
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="xcover-sandbox")
    thread.start()
    try:
        yield url
    finally:
        sandbox.faults.clear()
        server.stop()
        thread.join()
        sandbox.site_url = site
