"""The sandbox without a network: a requests transport adapter."""

from __future__ import annotations

import io
import math
import time
from collections.abc import Mapping
from http import HTTPStatus

import requests
from requests.adapters import HTTPAdapter
from urllib3.response import HTTPResponse
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request, Response

from django_xcover.sandbox.engine import Sandbox
from django_xcover.sandbox.http.pipeline import Delivery

Timeout = float | tuple[float | None, float | None] | None


def mount(session: requests.Session, base_url: str, sandbox: Sandbox) -> None:
    """Answer the session's requests to `base_url` in-process.

    A hang that is longer than the read timeout raises `requests.ReadTimeout` immediately, so that
    tests do not wait for it. A reset raises `requests.ConnectionError`. A drip takes real time.
    """
    session.mount(base_url, InProcessAdapter(sandbox))


class InProcessAdapter(HTTPAdapter):
    """A requests adapter that passes requests to the sandbox's gateway."""

    def __init__(self, sandbox: Sandbox) -> None:
        super().__init__()
        self._sandbox = sandbox

    def send(  # noqa: PLR0917 - the base's signature
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Timeout = None,
        verify: bool | str = True,
        cert: bytes | str | tuple[bytes | str, bytes | str] | None = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Return the sandbox's response, or raise the exception of a real network."""
        self._take_time(request, timeout)
        delivery = self._sandbox.gateway.answer(_received(request))
        response = _arrived(delivery, request, timeout)
        answer = self.build_response(request, _raw(response, delivery.drip))
        if not stream:
            _ = answer.content
        return answer

    def _take_time(self, request: requests.PreparedRequest, timeout: Timeout) -> None:
        seconds, limit = self._sandbox.latency.next(), _read_limit(timeout)
        time.sleep(min(seconds, limit))
        if seconds >= limit:
            raise requests.ReadTimeout("Read timed out.", request=request)


def _read_limit(timeout: Timeout) -> float:
    limit = timeout[1] if isinstance(timeout, tuple) else timeout
    return math.inf if limit is None else limit


def _received(request: requests.PreparedRequest) -> Request:
    body = request.body or b""
    builder = EnvironBuilder(
        method=request.method or "GET",
        base_url=(request.url or "").partition("?")[0].partition(request.path_url)[0],
        path=request.path_url,
        headers=list(request.headers.items()),
        data=body.encode() if isinstance(body, str) else bytes(body),
    )
    environ = builder.get_environ()
    environ["REQUEST_URI"] = request.path_url
    return Request(environ)


def _arrived(delivery: Delivery, request: requests.PreparedRequest, timeout: Timeout) -> Response:
    delivery.finish()
    if delivery.held is not None:
        delivery.held.entered.set()
        limit = _read_limit(timeout)
        if limit == math.inf or delivery.held.seconds >= limit:
            raise requests.ReadTimeout("Read timed out.", request=request)
    if delivery.response is None:
        raise requests.ConnectionError("Connection aborted.", request=request)
    return delivery.response


def _raw(response: Response, drip: float) -> HTTPResponse:
    content = response.get_data()
    return HTTPResponse(
        body=Dripping(content, drip) if drip else io.BytesIO(content),
        headers=dict(response.headers.items()),
        status=response.status_code,
        reason=HTTPStatus(response.status_code).phrase,
        preload_content=False,
        decode_content=False,
    )


class Dripping(io.BytesIO):
    """A body that arrives byte by byte, spread over `seconds`."""

    def __init__(self, content: bytes, seconds: float) -> None:
        super().__init__(content)
        self._pause = seconds / max(len(content), 1)

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next byte, or the whole rest if `size` is None or negative."""
        left = len(self.getbuffer()) - self.tell()
        count = left if size is None or size < 0 else min(1, left)
        time.sleep(self._pause * count)
        return super().read(count)
