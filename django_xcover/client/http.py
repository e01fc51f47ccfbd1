"""One HTTP exchange with XCover: pooled connections, a deadline, typed failures."""

from __future__ import annotations

import http.client
import ipaddress
import os
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from urllib3.exceptions import HTTPError

from django_xcover.client.connections import Deadline, Exchange, PacedAdapter, running
from django_xcover.client.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    NoTimeLeft,
    UnexpectedAnswer,
    XCoverError,
    clean,
)


def is_this_machine(host: str | None) -> bool:
    """Return whether a URL's host is this machine, without asking a name server."""
    if host == "localhost" or (host or "").endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


CHUNK = 64 * 1024
# No deadline applies while a response is decoded, which takes up to 2 s for this size. A recorded
# booking has 11 kB, so a page of a hundred in reconciliation has about a megabyte.
LARGEST_RESPONSE = 4 * 1024 * 1024
# requests lets some exceptions of lower layers through. It raises ValueError for an unusable URL,
# such as a gateway's `Location` may be.
_FAULTS = (
    requests.RequestException,
    HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to send. Every attempt sends the same bytes."""

    method: str
    url: str
    path: str  # below the partner's path, for log lines
    body: bytes | None = field(default=None, repr=False)
    params: Mapping[str, str] = field(default_factory=dict)
    idempotency_key: str | None = None

    @property
    def writes(self) -> bool:
        """Return whether the call can change anything at XCover."""
        return self.method != "GET"

    @property
    def repeatable(self) -> bool:
        """Return whether sending it twice has the same effect as sending it once."""
        return not self.writes or self.idempotency_key is not None

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that are the same on every attempt."""
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self.idempotency_key is not None:
            headers["x-idempotency-key"] = self.idempotency_key
        return headers


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A complete response that is not interpreted yet."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class _Session(requests.Session):
    """A stateless session: no redirects, no cookies."""

    def __init__(self) -> None:
        super().__init__()
        self.headers["User-Agent"] = "django-xcover"
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        """Return None, because a signed request must not be sent to another host."""


class Transport:
    """Pooled connections to one host, safe to share between threads and across a fork."""

    def __init__(
        self,
        *,
        base_url: str,
        auth: AuthBase,
        connect_timeout: float,
        session: requests.Session | None = None,
    ) -> None:
        self._auth = auth
        self._connect_timeout = connect_timeout
        self._owned = session is None
        self._session = session or _Session()
        # A special adapter of the session (a recorder, client certificates) is left in place. Its
        # waits are limited per read, and the response body is still cut off at the deadline.
        if type(self._session.get_adapter(base_url)) is HTTPAdapter:
            self._session.mount(base_url, PacedAdapter())
        self._pid = os.getpid()
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the pooled connections, unless the session is the caller's."""
        if self._owned:
            self._session.close()

    def exchange(self, request: Request, deadline: Deadline) -> RawResponse:
        """Return the complete response.

        Raise ConnectionFailed, DeadlineExceeded (NoTimeLeft if it had passed before the call
        began) or UnexpectedAnswer.
        """
        self._drop_connections_of_a_parent_process()
        exchange = Exchange(deadline)
        try:
            exchange.limit.remaining()
        except TimeoutError:
            raise NoTimeLeft("no time was left to begin the call") from None
        with running(exchange):
            try:
                return self._send(request, exchange)
            except _FAULTS as error:
                failure = _failure(error, request, exchange)
        raise failure

    def _send(self, request: Request, exchange: Exchange) -> RawResponse:
        left = exchange.deadline.remaining()
        response = self._session.request(
            request.method,
            request.url,
            params=dict(request.params),
            data=request.body,
            headers=request.headers,
            auth=self._auth,
            timeout=(min(self._connect_timeout, left), left),
            allow_redirects=False,
            stream=True,
        )
        try:
            body = _read(response, exchange.deadline, unknown=request.writes)
        finally:
            response.close()
        return RawResponse(response.status_code, response.headers, body)

    def _drop_connections_of_a_parent_process(self) -> None:
        """Drop sockets inherited across a fork: two processes on one would mix up responses."""
        if self._pid == os.getpid():
            return
        with self._lock:
            if self._pid != os.getpid():
                self._session.close()
                self._pid = os.getpid()


def _read(response: requests.Response, deadline: Deadline, *, unknown: bool) -> bytes:
    body = bytearray()
    for chunk in response.iter_content(CHUNK):
        deadline.remaining()
        body += chunk
        if len(body) > LARGEST_RESPONSE:
            status = response.status_code
            raise UnexpectedAnswer("too long", status=status, outcome_known=not unknown)
    return bytes(body)


def _failure(error: Exception, request: Request, exchange: Exchange) -> XCoverError:
    """Return the error to raise for a failed exchange. `error` itself may quote headers."""
    known = not (exchange.sent and request.writes)
    if not exchange.deadline.left:
        when = "while waiting for the response" if exchange.sent else "before the request was sent"
        return DeadlineExceeded(f"time ran out {when}", outcome_known=known)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return UnexpectedAnswer("the response cannot be decompressed", outcome_known=known)
    cause = _root(error)
    return ConnectionFailed(
        _reason(cause),
        request_sent=exchange.sent,
        outcome_known=known,
        permanent=isinstance(cause, ssl.SSLCertVerificationError),
    )


def _root(error: BaseException) -> BaseException:
    """Return the innermost cause inside the wrappers of requests and urllib3."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        inner: list[Any] = [error.__cause__, getattr(error, "reason", None), *error.args]
        error = next((below for below in inner if isinstance(below, BaseException)), error)
    return error


def _reason(cause: BaseException) -> str:
    """Return a text by the operating system or by us. Others may quote the request."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "the server's certificate was not accepted"
    if isinstance(cause, OSError) and str(cause).startswith("Tunnel connection failed"):
        return "the proxy refused the tunnel"
    if isinstance(cause, OSError) and cause.strerror:
        return f"{type(cause).__name__}: {clean(cause.strerror, 120)}"
    return type(cause).__name__
