"""The sandbox over HTTP: threads, keep-alive, and an end that comes at once."""

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
    """Speaks HTTP/1.1 and logs no query: links to documents carry tokens there."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        """Remember the connection, which may be idle when the server ends."""
        super().setup()
        self.server.connections.add(self.connection)

    def finish(self) -> None:
        """Forget the connection."""
        self.server.connections.discard(self.connection)
        with contextlib.suppress(OSError):
            super().finish()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log method, path and status at DEBUG."""
        logger.debug("%s %s %s", self.command, self.path.partition("?")[0], code)

    def log_error(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Log what went wrong with a connection at DEBUG: clients that give up are no news."""
        logger.debug(format, *args)


class Server(ThreadedWSGIServer):
    """A threaded server that can drop the connections clients keep alive."""

    def __init__(self, host: str, port: int, sandbox: Sandbox) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(host, port, sandbox.wsgi_app, Handler)

    def stop(self) -> None:
        """Stop listening and cut what is still connected."""
        self.shutdown()
        self.server_close()
        for connection in list(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def serve(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve the sandbox for the length of a block; yield its base URL.

    The API is at that URL plus `/x` and `/xcover`. Port 0 takes a free one. Links to documents
    point to this server, unless the sandbox was given a `site_url` of its own.
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
