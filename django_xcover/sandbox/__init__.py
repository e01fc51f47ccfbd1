"""A local XCover: one engine, mounted in-process for tests or served over HTTP.

It imports nothing from the rest of django_xcover, so that it stays an independent witness.
"""

from __future__ import annotations

try:
    from django_xcover.sandbox.engine import Sandbox
except ModuleNotFoundError as missing:
    package = (missing.name or "").partition(".")[0]
    if package not in {"markupsafe", "simplejson", "werkzeug"}:
        raise
    # Whoever lists it in INSTALLED_APPS reads this at the first command, and nothing else.
    words = (
        f"The local XCover needs {package}: pip install 'django-xcover[sandbox]', or leave "
        "django_xcover.sandbox out of INSTALLED_APPS."
    )
    raise ModuleNotFoundError(words, name=missing.name) from missing

__all__ = ["Sandbox"]
