"""A local XCover behind HTTP, and shops of real processes that insure with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from django_xcover.sandbox import Sandbox
from django_xcover.sandbox.http.server import serve
from tests.processes.brokers import Broker, own_broker
from tests.processes.crew import Shop

Open = Callable[[Broker], Shop]


@pytest.fixture
def sandbox() -> Sandbox:
    """Return a local XCover that will be served over HTTP."""
    return Sandbox(partner_code="SHOP1", api_key="sandbox-key", api_secret="sandbox-secret")


@pytest.fixture
def broker(transport: str) -> Iterator[Broker]:
    """Return an empty broker of this transport."""
    with own_broker(transport) as own:
        yield own


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Return a shop that has tables, for others to copy."""
    directory = tmp_path_factory.mktemp("prepared")
    shop = Shop(directory, Broker("filesystem", "prepared"), "http://127.0.0.1:9")
    shop.step("prepare")
    return shop


@pytest.fixture
def open_shop(tmp_path: Path, sandbox: Sandbox, prepared: Shop) -> Iterator[Open]:
    """Return a maker of a shop with this broker."""
    with serve(sandbox) as url:
        yield lambda broker: Shop(tmp_path, broker, url).with_tables_of(prepared)
