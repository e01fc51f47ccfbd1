"""How long the shop's server took for a page, and how much of it XCover, told to the shopper."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponseBase

from django_xcover.client.requestor import Requestor
from django_xcover.clients.circuit_breaker import Circuit, state

HEADER = "X-Chaos-Milliseconds"
XCOVER = "X-Chaos-XCover-Milliseconds"
OPEN = "X-Chaos-Circuit-Open"
ASKING = "/xcover/offer/"


class Timing:
    """Put the time between request and response into a header, and what of it went to XCover.

    A page of an offer says besides whether the circuit was open when it was asked for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        if not hasattr(Requestor.call, "__wrapped__"):
            Requestor.call = _timed(Requestor.call)  # type: ignore[method-assign]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        is_open = request.path == ASKING and state("default").circuit == Circuit.OPEN
        _spent.seconds = 0.0
        begun = time.monotonic()
        response = self.get_response(request)
        response[HEADER] = f"{(time.monotonic() - begun) * 1000:.1f}"
        response[XCOVER] = f"{_spent.seconds * 1000:.1f}"
        response[OPEN] = "1" if is_open and not _spent.seconds else ""
        return response


class _Spent(threading.local):
    """Seconds that this thread's request has spent in calls to XCover, their repeats included."""

    seconds = 0.0


_spent = _Spent()


def _timed(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def timed(*args: Any, **options: Any) -> Any:
        begun = time.monotonic()
        try:
            return call(*args, **options)
        finally:
            _spent.seconds += time.monotonic() - begun

    return timed
