"""A scripted server, and a client that talks to it."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from django_xcover.client import XCoverClient
from tests.client.server import Server, Step

API_KEY = "KEY-that-must-not-be-told"
API_SECRET = "SECRET-that-must-not-be-told"

Serve = Callable[..., Server]
Connect = Callable[..., XCoverClient]


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"]
    for name in [*names, *(name.upper() for name in names), "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(*steps: Step, tls: ssl.SSLContext | None = None) -> Server:
            return stack.enter_context(Server(list(steps), tls=tls))

        yield start


@pytest.fixture
def connect() -> Iterator[Connect]:
    with ExitStack() as stack:

        def build(target: Server | str, **options: Any) -> XCoverClient:
            settings: dict[str, Any] = {
                "base_url": target if isinstance(target, str) else target.url,
                "partner_code": "ACME1",
                "api_key": API_KEY,
                "api_secret": API_SECRET,
                "backoff": 0.001,
                "deadline": 3.0,
                "booking_deadline": 3.0,
            }
            return stack.enter_context(XCoverClient(**{**settings, **options}))

        yield build
