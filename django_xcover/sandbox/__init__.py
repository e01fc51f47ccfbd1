"""PUBLIC: a local XCover, mounted in-process for tests or served over HTTP.

It imports nothing from the rest of django_xcover, so that it can verify the package independently.
"""

from __future__ import annotations

try:
    from django_xcover.sandbox.engine import Sandbox
except ModuleNotFoundError as missing:
    package = (missing.name or "").partition(".")[0]
    if package not in {"markupsafe", "simplejson", "werkzeug"}:
        raise
    # With the app in INSTALLED_APPS, every management command stops here with this message.
    message = (
        f"The local XCover needs {package}. Run pip install 'django-xcover[sandbox]', or remove "
        "django_xcover.sandbox from INSTALLED_APPS."
    )
    raise ModuleNotFoundError(message, name=missing.name) from missing

__all__ = ["Sandbox"]
