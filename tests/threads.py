"""Quoting in threads, as shops have it by default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from django_xcover.conf import get_config
from django_xcover.offers import background


@pytest.fixture
def threads(settings: Any) -> Iterator[None]:
    """Quote in threads, as many as by default, and leave none behind."""
    settings.XCOVER = {k: v for k, v in settings.XCOVER.items() if k != "OFFER_THREADS"}
    assert get_config().offer_threads > 0
    yield
    finish()


def finish() -> None:
    """Wait for the threads."""
    for thread in list(background._running):
        thread.join(30)
        assert not thread.is_alive()
