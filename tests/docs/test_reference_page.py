"""The reference page is what the code says."""

from __future__ import annotations

from tests.tools import reference


def test_the_page_is_not_stale() -> None:
    """Written anew by `python -m tests.tools.reference`."""
    assert reference.PAGE.read_text() == reference.page()
