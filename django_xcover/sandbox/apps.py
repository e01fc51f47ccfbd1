"""The app config. Add `django_xcover.sandbox` to INSTALLED_APPS for `manage.py xcover_sandbox`."""

from __future__ import annotations

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    """A separate app, so that a shop in production does not install it."""

    name = "django_xcover.sandbox"
    label = "xcover_sandbox"
    verbose_name = "XCover sandbox"
