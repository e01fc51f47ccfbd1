"""How long the shop's server took for a page, told to the shopper that measures it."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Chaos-Milliseconds"


class Timing:
    """Put the time between request and response into a header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        begun = time.monotonic()
        response = self.get_response(request)
        response[HEADER] = f"{(time.monotonic() - begun) * 1000:.1f}"
        return response
