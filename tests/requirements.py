"""What a test needs from the machine: it skips and says so, unless `XCOVER_REQUIRE` names it."""

from __future__ import annotations

import os
import shutil
import socket

import pytest

REQUIRED = frozenset(filter(None, os.environ.get("XCOVER_REQUIRE", "").split(",")))
PORTS = {"postgresql": 5432, "mariadb": 3306, "redis": 6379, "rabbitmq": 5672}
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")


def need_server(name: str) -> None:
    """Skip the test when nothing listens where the server `name` usually does."""
    try:
        socket.create_connection(("127.0.0.1", PORTS[name]), timeout=1).close()
    except OSError:
        missing(name, f"no {name} on 127.0.0.1:{PORTS[name]}")


def need_module(name: str, *, serving: str) -> None:
    """Skip the test when the driver `name` of the server `serving` is not installed."""
    try:
        __import__(name)
    except ImportError:
        missing(serving, f"the driver {name} is not installed")


def need_browser() -> str:
    """Return the path of a Chromium, or skip the test."""
    for name in BROWSERS:
        path = shutil.which(name)
        if path:
            return path
    missing("browser", "no Chromium is installed")
    raise AssertionError


def missing(name: str, reason: str) -> None:
    """Skip the test, or fail it if `XCOVER_REQUIRE` has `name`."""
    if name in REQUIRED:
        pytest.fail(f"XCOVER_REQUIRE names {name}, but {reason}.")
    pytest.skip(f"{reason} (XCOVER_REQUIRE={name} would make this a failure)")
