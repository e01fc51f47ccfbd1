"""Call an endpoint: build the request, send it, retry, interpret the response, log."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from django_xcover.client import exact_json, retry
from django_xcover.client.connections import Deadline
from django_xcover.client.endpoints import Endpoint
from django_xcover.client.errors import (
    ConfigurationError,
    InvalidPayload,
    UnexpectedAnswer,
    XCoverError,
)
from django_xcover.client.http import Request, Transport, is_this_machine
from django_xcover.client.responses import Response, interpret

# Called for each attempt and entered around it. It may wait, but not beyond the deadline, and
# raises HeldBack to refuse the attempt. Exceptions of the attempt propagate through it.
Limiter = Callable[[Endpoint, Deadline], AbstractContextManager[object]]


def unlimited(endpoint: Endpoint, until: Deadline) -> AbstractContextManager[object]:
    """Allow every call immediately."""
    return nullcontext()


logger = logging.getLogger("django_xcover.client")

_PARTNER_CODE = re.compile(r"[A-Za-z0-9_-]{1,64}")
LONGEST_KEY = 255


class Requestor:
    """Makes the calls to the endpoints of one partner."""

    def __init__(
        self,
        transport: Transport,
        *,
        partner_url: str,
        policy: retry.RetryPolicy,
        deadline: float,
        booking_deadline: float,
        limiter: Limiter,
    ) -> None:
        self._transport = transport
        self._limiter = limiter
        self._partner_url = partner_url
        self._policy = policy
        self._deadlines = {False: deadline, True: booking_deadline}

    def call(
        self,
        endpoint: Endpoint,
        payload: Mapping[str, Any] | None,
        params: Mapping[str, str],
        *,
        empty_allowed: bool,
        idempotency_key: str | None = None,
        deadline: float | None = None,
    ) -> Response | None:
        """Return the response, or None if it is empty. Raise an XCoverError on failure."""
        request = self._request(endpoint, payload, params, idempotency_key)
        seconds = self._deadlines[endpoint.booking] if deadline is None else deadline
        until = Deadline.after(seconds)

        def attempt(number: int) -> Response | None:
            with self._limiter(endpoint, until), _Logged(request, number) as line:
                raw = self._transport.exchange(request, until)
                line.status = raw.status
                response = interpret(raw, request, empty_allowed=empty_allowed)
                _require_same_ids(response, endpoint, request)
                return response

        try:
            return retry.run(
                attempt,
                policy=self._policy,
                deadline=until,
                repeatable=request.repeatable,
                # Repeating a quote stores at most one too many, which charges no customer.
                when_throttled=not endpoint.booking,
            )
        except XCoverError as error:
            error.reading = not request.writes
            raise

    def _request(
        self,
        endpoint: Endpoint,
        payload: Mapping[str, Any] | None,
        params: Mapping[str, str],
        key: str | None,
    ) -> Request:
        return Request(
            method=endpoint.method,
            url=self._partner_url + endpoint.path,
            path=endpoint.path,
            body=None if endpoint.method == "GET" else exact_json.encode(payload or {}),
            params=params,
            idempotency_key=None if key is None else _checked_key(key),
        )


def _require_same_ids(response: Response | None, endpoint: Endpoint, request: Request) -> None:
    """Raise UnexpectedAnswer if the response is about another package or another step of it."""
    for name, requested in endpoint.ids:
        received = response.get(name) if response is not None else None
        if received and received != requested:
            error = UnexpectedAnswer.at(name, "is not the requested one")
            error.outcome_known = not request.writes
            raise error


class _Logged:
    """Log one line per attempt, without body, headers, query or vendor texts."""

    def __init__(self, request: Request, number: int) -> None:
        self._request, self._number = request, number
        self.status: int | None = None

    def __enter__(self) -> Self:
        self._started = time.monotonic()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        logger.log(
            logging.WARNING if error else logging.INFO,
            "%s %s: %s in %.0f ms (attempt %d)",
            self._request.method,
            self._request.path,
            " ".join(str(part) for part in (self.status, kind and kind.__name__) if part),
            (time.monotonic() - self._started) * 1000,
            self._number,
        )


def _checked_key(key: str) -> str:
    """Return the key. Raise InvalidPayload if a header cannot carry it."""
    text = str(key)
    if not 0 < len(text) <= LONGEST_KEY or not text.isascii() or not text.isprintable():
        raise InvalidPayload("idempotency_key must be 1 to 255 printable ASCII characters")
    if text != text.strip():  # a server strips it, so both sides would use different keys
        raise InvalidPayload("idempotency_key has leading or trailing spaces")
    return text


def partner_url(base_url: str, partner_code: str, *, allow_insecure: bool) -> str:
    """Return `{base_url}/partners/{partner_code}/`. Raise ConfigurationError if it is not usable.

    Plain http is allowed only to this machine: it would send signatures in clear text, and
    responses contain personal data.
    """
    if not _PARTNER_CODE.fullmatch(partner_code):
        raise ConfigurationError("partner_code must be 1 to 64 letters, digits, _ or -")
    parts = _split(base_url)
    url = _as_sent(f"{base_url.rstrip('/')}/partners/{partner_code}/")
    if parts.scheme == "http" and not (allow_insecure or is_this_machine(parts.hostname)):
        raise ConfigurationError("base_url must be https, except on this machine (allow_insecure)")
    return url


def _as_sent(url: str) -> str:
    """Return the URL as requests normalizes it (ASCII host), because it selects the adapter."""
    try:
        return str(requests.Request("GET", url).prepare().url)
    except requests.RequestException:
        raise ConfigurationError("base_url has no usable host") from None


def _split(base_url: str) -> Any:
    try:
        parts = urlsplit(base_url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and (parts.port or True)
    except ValueError:
        usable = False
    plain = base_url.isprintable() and not set(base_url) & set(" ?#@\\")
    if not (usable and plain):
        raise ConfigurationError("base_url must be a plain https URL such as https://host/x")
    return parts
