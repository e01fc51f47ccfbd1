"""A local server that does exactly what a test tells it, on real sockets."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self

import simplejson

PATIENCE = 5.0  # no test lasts that long; a forgotten thread does not outlive it


@dataclass(frozen=True)
class Seen:
    """A request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return simplejson.loads(self.body, use_decimal=True)


Step = Callable[["Server", socket.socket, Seen], bool]


@dataclass
class Server:
    """Answers the n-th request with the n-th step, and with the last one from then on."""

    steps: list[Step]
    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    stopped: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        # Wakes the thread that waits in accept().
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join(PATIENCE)
        self._listener.close()
        with self._lock:
            for conn in self._open:
                conn.close()

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}/x"

    def _accept(self) -> None:
        while True:
            conn, _ = self._listener.accept()
            if self.stopped.is_set():
                conn.close()
                return
            conn.settimeout(PATIENCE)
            with self._lock:
                self.connections += 1
                self._open.append(conn)
            threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, conn: socket.socket) -> None:
        try:
            if self.tls is not None:
                conn = self.tls.wrap_socket(conn, server_side=True)
                with self._lock:
                    self._open.append(conn)
            while (request := read_request(conn)) is not None:
                with self._lock:
                    step = self.steps[min(len(self.seen), len(self.steps) - 1)]
                    self.seen.append(request)
                if not step(self, conn, request):
                    break
        except OSError:
            pass
        finally:
            conn.close()


def read_request(conn: socket.socket) -> Seen | None:
    data = b""
    while b"\r\n\r\n" not in data:
        more = conn.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {n.lower(): v.strip() for n, _, v in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", 0)):
        body += conn.recv(65536)
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, body)


def response(status: int, body: bytes, headers: dict[str, str] | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def raw(data: bytes, *, keep: bool = False) -> Step:
    """Send `data` as it is."""

    def step(server: Server, conn: socket.socket, request: Seen) -> bool:
        conn.sendall(data)
        return keep

    return step


def json(status: int, body: Any, headers: dict[str, str] | None = None) -> Step:
    """Answer with JSON and keep the connection."""
    text = simplejson.dumps(body, use_decimal=True).encode()
    return raw(
        response(status, text, {"Content-Type": "application/json", **(headers or {})}), keep=True
    )


def empty(status: int, headers: dict[str, str] | None = None) -> Step:
    return raw(response(status, b"", headers), keep=True)


def silence(server: Server, conn: socket.socket, request: Seen) -> bool:
    """Take the request and say nothing."""
    server.stopped.wait(PATIENCE)
    return False


def drip(start: bytes, drop: bytes) -> Step:
    """Send `start`, then `drop` again and again, never so slowly that a single read times out."""

    def step(server: Server, conn: socket.socket, request: Seen) -> bool:
        conn.sendall(start)
        while not server.stopped.wait(0.03):
            conn.sendall(drop)
        return False

    return step


def reset(server: Server, conn: socket.socket, request: Seen) -> bool:
    """Take the request and reset the connection."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    return False


def hang_up(server: Server, conn: socket.socket, request: Seen) -> bool:
    """Take the request and close without a word."""
    return False
