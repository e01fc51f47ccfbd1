"""Connections that never wait longer than the deadline of the current call.

A timeout in requests applies to a single read, so a server that drips one byte a second can block
forever. Here each wait (name lookup, connect, TLS, each send, each read) is limited to the time
left for the call. That cuts a call off without a thread or a signal.
"""

from __future__ import annotations

import errno
import http.client
import io
import queue
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import allowed_gai_family, create_connection

from django_xcover.client.errors import NoTimeLeft


@dataclass(frozen=True, slots=True)
class Deadline:
    """A point in time after which waiting ends, in seconds of the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        """Return the deadline `seconds` from now."""
        return cls(time.monotonic() + seconds)

    @property
    def left(self) -> float:
        """Return the seconds left, or 0.0 once the deadline has passed."""
        return max(0.0, self.at - time.monotonic())

    def remaining(self) -> float:
        """Return the seconds left, as a socket timeout. Raise TimeoutError if none are left."""
        left = self.left
        if not left:  # as a socket timeout, 0 means "non-blocking" and not "time is up"
            raise TimeoutError("deadline reached")
        return left

    def left_for_a_call(self) -> float:
        """Return the seconds left for one more call. Raise NoTimeLeft if there are none."""
        left = self.left
        if not left:
            raise NoTimeLeft("no time was left to begin the call")
        return left

    def sooner(self, seconds: float) -> Deadline:
        """Return the earlier of this deadline and `seconds` from now."""
        return Deadline(min(self.at, time.monotonic() + seconds))


PIECE = 16 * 1024  # one TLS record; each piece waits separately, so a slow reader is cut off too
POOL_SIZE = 32
LONGEST_FOREIGN_USE = 3600.0


@dataclass(slots=True)
class Exchange:
    """One request and its response.

    `limit` is the deadline of the current wait. `sent` is whether a byte of the request may have
    been sent; it is True until our own connection proves otherwise.
    """

    deadline: Deadline
    sent: bool = True
    limit: Deadline = field(init=False)

    def __post_init__(self) -> None:
        self.limit = self.deadline


_running: ContextVar[Exchange] = ContextVar("xcover_exchange")


@contextmanager
def running(exchange: Exchange) -> Iterator[Exchange]:
    """Apply the deadline of `exchange` to this thread's connections inside the block."""
    token = _running.set(exchange)
    try:
        yield exchange
    finally:
        _running.reset(token)


def resolve(host: str, port: int, limit: Deadline) -> list[tuple[str, int]]:
    """Return the host's addresses. Raise OSError, or TimeoutError at `limit`.

    The system's resolver cannot be interrupted, so it runs in a thread, which is abandoned if it
    hangs. Connections are pooled, so lookups are rare.
    """
    results: queue.SimpleQueue[list[tuple[str, int]] | OSError] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(host, port, allowed_gai_family(), socket.SOCK_STREAM)
            results.put([(str(row[4][0]), port) for row in rows])
        except OSError as error:
            results.put(error)
        except UnicodeError:
            results.put(OSError("the host name cannot be encoded"))

    try:
        threading.Thread(target=look_up, name="xcover-resolve", daemon=True).start()
    except RuntimeError:
        raise OSError(errno.EAGAIN, "no thread could be started") from None
    try:
        outcome = results.get(timeout=limit.remaining())
    except queue.Empty:
        raise TimeoutError("name lookup timed out") from None
    if isinstance(outcome, OSError):
        raise outcome
    return outcome


class _PacedReader(io.RawIOBase):
    """A socket's raw stream in which no read waits beyond the limit of the exchange."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase, exchange: Exchange) -> None:
        self._sock, self._raw, self._exchange = sock, raw, exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._exchange.limit.remaining())
        count: int | None = self._raw.readinto(buffer)
        # After a proxy's CONNECT the TLS handshake uses this socket, with the time that is left.
        self._sock.settimeout(self._exchange.limit.remaining())
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _PacedResponse(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        exchange = _running.get(None)
        if exchange is not None:
            raw: Any = self.fp.detach()
            self.fp = io.BufferedReader(_PacedReader(sock, raw, exchange))


class PacedConnection(HTTPConnection):
    """An HTTP connection that keeps to the deadline of the current exchange."""

    response_class = _PacedResponse

    def connect(self) -> None:
        """Open the connection, including proxy and TLS, within the connect timeout."""
        exchange = _running.get()
        if self.timeout is not None:
            exchange.limit = exchange.deadline.sooner(self.timeout)
        try:
            super().connect()
        finally:
            exchange.limit = exchange.deadline

    def _new_conn(self) -> socket.socket:
        limit = _running.get().limit
        failure: OSError = OSError("host has no address")
        addresses = resolve(self._dns_host, int(self.port or self.default_port), limit)
        for index, address in enumerate(addresses):
            # Each address gets a share of the time, so that one that never responds, as with
            # broken IPv6, leaves time for the next.
            share = limit.sooner(limit.left / (len(addresses) - index))
            try:
                return self._open(address, share, limit)
            except OSError as error:
                failure = error
        raise failure

    def _open(self, address: tuple[str, int], share: Deadline, limit: Deadline) -> socket.socket:
        sock = create_connection(
            address,
            share.remaining(),
            source_address=self.source_address,
            socket_options=self.socket_options,
        )
        sock.settimeout(max(limit.left, 0.001))  # the time left for the TLS handshake
        return sock

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request. From here on the server may have acted on it."""
        if self.sock is None:
            self.connect()
        _running.get().sent = True
        super().request(*args, **kwargs)

    def send(self, data: Any) -> None:
        """Send bytes in pieces, each within the time that is left."""
        for start in range(0, len(data), PIECE):
            if self.sock is not None:
                self.sock.settimeout(_running.get().limit.remaining())
            super().send(data[start : start + PIECE])


class PacedTLSConnection(PacedConnection, HTTPSConnection):
    """An HTTPS connection that keeps to the deadline of the current exchange."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = PacedConnection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = PacedTLSConnection


class PacedAdapter(HTTPAdapter):
    """A requests adapter whose connections keep to the deadline of the current exchange.

    SOCKS proxies use their own connections, which are only limited per read.
    """

    _pools = {"http": _Pool, "https": _TLSPool}  # noqa: RUF012 (never mutated)

    def __init__(self) -> None:
        super().__init__(pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Create the pools for direct connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: Any, **kwargs: Any) -> Any:
        """Return the pools for connections through `proxy`."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        if not str(proxy).lower().startswith("socks"):
            manager.pool_classes_by_scheme = self._pools
        return manager

    def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
        """Send a prepared request within the deadline of the current exchange."""
        exchange = _running.get(None)
        if exchange is None:  # the owner of a session that was lent to a client uses it too
            with running(Exchange(Deadline.after(LONGEST_FOREIGN_USE))):
                return self.send(request, *args, **kwargs)
        if carried_by_us(kwargs.get("proxies")):
            exchange.sent = False
        return super().send(request, *args, **kwargs)


def carried_by_us(proxies: Any) -> bool:
    """Return whether the request uses our own connections, not those of a SOCKS proxy."""
    return not any(str(url).lower().startswith("socks") for url in (proxies or {}).values())
