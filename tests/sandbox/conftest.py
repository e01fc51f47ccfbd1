"""Fixtures of the sandbox's own tests: no Django, no client of ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.adapter import mount
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
