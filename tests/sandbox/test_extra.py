"""The local XCover without what its extra installs."""

from __future__ import annotations

import subprocess
import sys

import pytest

SETTINGS = """
import sys
sys.modules["{missing}"] = None  # as if it were not installed
import django
from django.conf import settings
settings.configure(INSTALLED_APPS=["django_xcover.sandbox"])
django.setup()
"""


def started_without(missing: str) -> str:
    """Return what a project that lists the sandbox ends with, without a package it needs."""
    script = SETTINGS.format(missing=missing)
    ended = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True
    )
    assert ended.returncode == 1
    return ended.stderr.splitlines()[-1]


@pytest.mark.parametrize("missing", ["werkzeug", "markupsafe"])
def test_a_project_without_the_extra_is_told_what_to_install(missing: str) -> None:
    words = started_without(missing)

    assert f"The local XCover needs {missing}." in words
    assert "pip install 'django-xcover[sandbox]'" in words
    assert "remove django_xcover.sandbox from INSTALLED_APPS" in words


def test_an_error_that_the_extra_does_not_mend_is_told_as_it_is() -> None:
    words = started_without("sqlite3")

    assert "sqlite3" in words
    assert "pip install" not in words
