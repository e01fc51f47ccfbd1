"""Fixtures shared with the sandbox's tests, and the official SDK over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
from django_xcover.sandbox.http.server import serve
from tests.sandbox.support import Caller

BASE_URL = "https://xcover.test/x"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Return a local XCover with nothing in it."""
    sandbox = Sandbox()
    yield sandbox
    sandbox.close()


@pytest.fixture
def caller(sandbox: Sandbox) -> Iterator[Caller]:
    """Return a partner who calls it in this process."""
    with requests.Session() as session:
        mount(session, BASE_URL, sandbox)
        yield Caller(session, BASE_URL)


@pytest.fixture(params=["date", "(request-target) date"])
def sdk(sandbox: Sandbox, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Return the official SDK, calling over HTTP, in both ways of signing."""
    xcover = pytest.importorskip("xcover", reason="the official SDK xcover-python is not installed")
    config = pytest.importorskip("xcover.config")
    with serve(sandbox) as url:
        yield xcover.XCover(
            config.XCoverConfig(
                partner_code="SHOP1",
                base_url=f"{url}/xcover/",
                http_timeout=5,
                auth_api_key="sandbox-key",
                auth_api_secret="sandbox-secret",
                headers=request.param,
            )
        )
